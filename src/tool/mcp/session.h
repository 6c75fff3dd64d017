#pragma once
// One session with an MCP server, without any I/O: the revisions 2024-11-05 to 2025-11-25, which
// begin with a handshake. Frames and wishes go in; frames to send and events come out. What a
// server sends never breaks more than its session. A revision without a handshake (2026-07-28) is
// another class with the same events: nothing outside knows how a server was greeted.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "tool/mcp/elicitation.h"
#include "tool/mcp/json_rpc.h"
#include "tool/mcp/tool_list.h"

namespace perdure::mcp {

inline constexpr std::string_view kRevisions[] = {"2025-11-25", "2025-06-18", "2025-03-26",
                                                  "2024-11-05"};

// Of one message, whatever carries it.
inline constexpr size_t kMessageMaxBytes = 16u << 20;

struct SessionOptions {
  std::string client_version;
  bool answers_questions = false;  // a person can be asked (elicitation, form mode)
  size_t max_message_bytes = kMessageMaxBytes;
};

// The ids of our requests go on over sessions: an answer that comes late is nobody else's.
using RequestId = int64_t;
// Where a frame came from, if not from the stream of a request's answer.
inline constexpr RequestId kSharedStream = 0;    // of this session, for all of its calls
inline constexpr RequestId kForeignStream = -1;  // perhaps of other sessions too

struct Ready {
  std::string revision;
  std::string server;  // name and version, as it says
};
struct Listed {
  std::vector<ListedTool> tools;
  std::vector<std::string> left_out;  // items that are no tools, and why
};
struct ListChanged {};
struct Answered {
  RequestId call = 0;
  bool refused = false;  // `error` instead of `result`
  json::object result;
  RpcError error;
};
struct Progressed {
  RequestId call = 0;
};
struct Asked {
  RequestId call = 0;  // an open one that asks nothing else
  Question question;
};
struct Withdrawn {
  RequestId call = 0;
};
// A question that was refused, since it cannot be told on whose behalf it is.
struct NotAsked {
  std::string why;
  bool of_given_up = false;  // it may be that of a call that was given up
};
struct Logged {
  std::string text;
};
struct Strange {  // tolerated, within bounds
  std::string what;
};
struct Broken {  // the last event
  std::string why;
};
using Event = std::variant<Ready, Listed, ListChanged, Answered, Progressed, Asked, Withdrawn,
                           NotAsked, Logged, Strange, Broken>;

struct Frame {
  std::string text;
  RequestId request = 0;  // it is a request of ours, and this its id; 0: nothing answers it
};

class Session {
 public:
  Session(SessionOptions options, RequestId first_id);

  void open();  // first
  // `within`: the request in whose answer's stream the frame came, or one of the above.
  void receive(std::string_view frame, RequestId within = kSharedStream);
  // A frame of `bytes` that is none.
  void receive_garbage(std::string_view what);
  // This request will never be answered, by what the transport knows.
  void lose(RequestId request, std::string_view why, bool may_have_arrived);

  // Once Ready, and until Broken:
  void list();
  RequestId call(std::string_view tool, json::object args, json::object meta);
  // No answer is wanted any more; there will be no event of it.
  void cancel(RequestId call, std::string_view reason);
  // The question of this call, if one is open: a person's answer, a person's no, and ...
  void answer(RequestId call, json::object filled);
  void decline(RequestId call);
  void dismiss(RequestId call);                       // ... nobody said yes or no
  void refuse(RequestId call, std::string_view why);  // ... it is not put to anybody

  std::vector<Frame> take_frames();
  std::vector<Event> take_events();
  bool is_ready() const { return state_ == State::kReady; }
  bool is_broken() const { return state_ == State::kBroken; }
  const std::string& revision() const { return revision_; }
  RequestId next_id() const { return next_id_; }

 private:
  enum class State : uint8_t { kNew, kOpening, kReady, kBroken };

  void receive_message(Message message, RequestId within);
  void receive_request(Message message, RequestId within);
  void receive_notification(const Message& message);
  void receive_answer(Message message);
  void finish_opening(const Message& message);
  void take_page(const Message& message);
  void ask_for_page(const std::string& cursor);
  void ask_person(const Message& message, RequestId within);
  Result<RequestId> who_asks(RequestId within) const;
  void reply(RequestId call, json::object result);
  bool end_call(RequestId call);
  void give_up(RequestId call);
  bool has_given_up() const { return given_up_more_ || !given_up_.empty(); }
  RequestId request(std::string_view method, json::object params);
  void strange(std::string what);
  void count_quiet(size_t bytes);
  void break_off(std::string why);

  const SessionOptions options_;
  State state_ = State::kNew;
  std::string revision_;
  RequestId next_id_;
  RequestId opening_ = 0;  // id of `initialize`
  RequestId listing_ = 0;  // id of the page that is asked for
  Listed list_;            // the pages so far
  std::set<std::string> cursors_;
  std::set<RequestId> calls_;
  // Nobody waits for their answers any more, which may still come; so may questions.
  std::set<RequestId> given_up_;
  bool given_up_more_ = false;                  // than are counted
  std::map<RequestId, json::value> questions_;  // by the open call that asks: what names it
  // What came since the last answer that was wanted: a server that only talks is cut off.
  size_t quiet_bytes_ = 0;
  size_t quiet_messages_ = 0;
  size_t strange_ = 0;
  std::vector<Frame> frames_;
  std::vector<Event> events_;
};

}  // namespace perdure::mcp
