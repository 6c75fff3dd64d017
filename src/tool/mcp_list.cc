// What an McpExecutor's server offers, as it is kept: masked, compared, accepted at first contact.
#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "schema/schema.h"
#include "tool/mcp_state.h"

namespace perdure {
namespace {

constexpr int64_t kListEveryUs = 1'000'000;  // not more often

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// Arguments could not be checked against such a schema.
void leave_out_unusable(mcp::Listed& listed) {
  std::erase_if(listed.tools, [&](const mcp::ListedTool& tool) {
    const auto compiled = JsonSchema::compile(tool.input_schema, tool.name + ": its inputSchema");
    if (!compiled) listed.left_out.push_back(compiled.error().message);
    return !compiled;
  });
}

Result<mcp::ListedTool> read_again(const std::string& definition, const std::string& name) {
  TRY_ASSIGN(const json::value item, parse_json(definition, name));
  return mcp::read_tool(item);
}

// What stands for a tool everywhere, its hash included, is the masked definition: it is stored,
// shown, and read by models.
void mask_definitions(mcp::Listed& listed, const Masker& masker) {
  if (masker.is_empty()) return;
  std::vector<mcp::ListedTool> tools;
  for (mcp::ListedTool& tool : listed.tools) {
    std::string masked = masker.mask(tool.definition);
    if (masked == tool.definition) {
      tools.push_back(std::move(tool));
      continue;
    }
    auto read = read_again(masked, tool.name);
    if (read) {
      tools.push_back(std::move(*read));
    } else {
      listed.left_out.push_back(
          fmt::format("{}: a secret is part of its definition, which is none when it is masked: {}",
                      tool.name, read.error().message));
    }
  }
  listed.tools = std::move(tools);
}

}  // namespace

void McpExecutor::State::take_list(mcp::Listed listed) {
  mask_definitions(listed, masker_);
  leave_out_unusable(listed);
  for (const std::string& what : listed.left_out) {
    log(LogLevel::kWarn, "mcp.tool_left_out",
        {{"server", config_.name}, {"what", masker_.mask(what)}});
  }
  listed_at_us_ = outside_.clock.monotonic_us();
  if (phase_ == Phase::kOpening) up_since_us_ = listed_at_us_;
  phase_ = Phase::kUp;
  list_is_old_ = false;
  tools_.set_offered(listed.tools);
  if (const auto names = tools_.names_of_no_tool(); !names.empty()) {
    log(LogLevel::kWarn, "mcp.no_tool", {{"server", config_.name}, {"names", joined(names)}});
  }
  if (!tools_.has_pins()) return keep_pins(std::move(listed.tools));
  if (const auto names = tools_.not_accepted(); !names.empty()) {
    log(LogLevel::kWarn, "mcp.tools_not_accepted",
        {{"server", config_.name},
         {"tools", joined(names)},
         {"do", "look at them, then: perdure tools accept " + config_.name}});
  }
  if (list_again_) list_again();
  changed_.notify_all();
}

// First contact.
void McpExecutor::State::keep_pins(std::vector<mcp::ListedTool> tools) {
  list_is_old_ = true;
  outbox_.push_back([self = shared_from_this(), life = life_, tools = std::move(tools)] {
    self->outside_.spawn([self, life, tools] {
      const Status saved = self->outside_.pins.save(self->config_.name, McpTools::pins_of(tools));
      self->with(life, [&] {
        if (!saved) return self->down("what it offers cannot be kept: " + saved.error().message);
        self->tools_.accept(tools);
        self->list_is_old_ = false;
        log(LogLevel::kInfo, "mcp.tools_pinned",
            {{"server", self->config_.name}, {"tools", std::to_string(tools.size())}});
        if (self->list_again_) self->list_again();
        self->changed_.notify_all();
      });
    });
  });
}

// Calls wait for the new list, also one that changes all the time.
void McpExecutor::State::list_again() {
  if (list_is_old_) {
    list_again_ = true;
    return;
  }
  list_is_old_ = true;
  list_again_ = false;
  const int64_t since_us = outside_.clock.monotonic_us() - listed_at_us_;
  if (since_us >= kListEveryUs) return session_->list();
  after((kListEveryUs - since_us) / 1000 + 1, [life = life_](State& self) {
    if (self.life_ == life && self.session_) self.session_->list();
  });
}

}  // namespace perdure
