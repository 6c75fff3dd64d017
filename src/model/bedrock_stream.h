#pragma once
// Reads an answer of ConverseStream. Sans I/O: bytes in at any split.
//
// An answer is whole when messageStop came; what it used follows behind that, and is unknown if the
// connection ends there.
#include <optional>

#include "model/aws_event_stream.h"
#include "model/bedrock_assembly.h"
#include "model/codec.h"

namespace perdure {

class BedrockStream final : public AnswerReader {
 public:
  explicit BedrockStream(ReaderEvents events, AnswerLimits limits = {});
  BedrockStream(const BedrockStream&) = delete;
  BedrockStream& operator=(const BedrockStream&) = delete;

  void feed(std::string_view bytes) override;
  AnswerOrFailure finish(const AnswerEnd& end) override;

 private:
  void read_event(const AwsEvent& event);
  CallFailure no_answer(const AnswerEnd& end) const;

  AnswerLimits limits_;
  BedrockAssembly assembly_;
  AwsEventStream events_;
  std::optional<AwsEvent> error_;  // an exception or an error, in the place of the rest
};

}  // namespace perdure
