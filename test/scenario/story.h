#pragma once
// Runs the lines of one scenario, in order, on one task.
#include <memory>
#include <optional>
#include <string>

#include "scenario/line.h"
#include "scenario/server.h"
#include "scenario/setting.h"
#include "temporary_dir.h"

namespace perdure::scenario {

class Story {
 public:
  void tell(Line& line, const std::string& block);
  // After the last line: what must hold of every story.
  void close();

 private:
  Server& server();
  void configure(const std::string& what, Line& line, const std::string& block);

  std::optional<api::test::Answer> post(Line& line, const std::string& target,
                                        const json::object& body, const api::Headers& headers);
  void submit(Line& line);
  void model(Line& line);
  void fetch(Line& line);
  void stream(const Open& call, const std::string& event);
  void end_in_background(Line& line, Open call);
  void tool(Line& line);
  void end_request(Line& line, Open call, HttpResult result);
  bool ends_badly(Line& line, const Open& call);
  void decide(Line& line);
  void expect(Line& line);
  void expect_task(Line& line, const std::string& what);
  void expect_question(Line& line);
  void expect_outside(Line& line, const std::string& receiver);
  void expect_record(Line& line, bool wanted);

  json::value get(const std::string& target);
  json::value task() { return get("/v1/tasks/" + task_); }
  std::string open_interrupt(Line& line, const std::string& tool);

  test::TemporaryDir folder_;
  Setting setting_;
  std::unique_ptr<Server> server_;
  std::string task_;
  std::string decided_;  // the interrupt that was decided last
  uint64_t answers_ = 0;
};

}  // namespace perdure::scenario
