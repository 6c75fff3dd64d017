#pragma once
// Who watches a task over HTTP: event streams that are taken up again where they broke off, and
// answers about a task's status. What they are told must be durable, whole and told once.
#include <map>
#include <memory>
#include <string>

#include "base/id.h"
#include "web.h"

namespace perdure::sim {

class Readers {
 public:
  explicit Readers(World& world) : world_(world) {}

  // Follows the task's events to their end, through every death of the process.
  void follow(const TaskId& task);
  // Asks once for the task as it is, and waits for its end or a question now and then.
  void look(const TaskId& task);

 private:
  struct Reader {
    Seq told = 0;         // the last event that came
    std::string pending;  // an event that is not complete
    std::shared_ptr<Line> line;
    bool done = false;
  };

  void connect(const TaskId& task);
  void hear(const TaskId& task, std::string_view bytes);
  void take(const TaskId& task, Reader& reader, std::string_view message);
  void come_back(const TaskId& task);
  void judge_status(const TaskId& task, const api::Response& response);

  World& world_;
  std::map<TaskId, Reader> readers_;
};

}  // namespace perdure::sim
