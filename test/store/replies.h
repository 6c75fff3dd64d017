#pragma once
// What stores answer, as text, so that two answers can be compared and shown.
#include <string>

#include "ports/store.h"

namespace perdure::store_test {

std::string text(const CommitResult& result);
std::string text(const Result<bool>& answer);
std::string text(const Result<std::optional<TaskRow>>& answer);
std::string text(const Result<std::vector<TaskRow>>& answer);
std::string text(const Result<TaskRows>& answer);
std::string text(const Result<std::vector<Frame>>& answer);
std::string text(const Result<std::optional<IdempotencyRow>>& answer);
std::string text(const Result<std::vector<InterruptRow>>& answer);
std::string text(const Result<std::vector<TimerRow>>& answer);
std::string text(const Result<std::vector<TaskId>>& answer);
std::string text(const Result<StoreCounts>& answer);
std::string text(const Result<std::vector<KeptRow>>& answer);

}  // namespace perdure::store_test
