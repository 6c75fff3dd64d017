#pragma once
// What the tests of every store share: one store of each kind, and tasks in it.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "store/kinds.h"
#include "store/sample.h"

namespace perdure::store_test {

using Commit = CommitResult::Kind;

class Conformance : public testing::TestWithParam<Kind> {
 protected:
  Conformance() : open_(GetParam().create()) {}

  Store& store() { return open_->store(); }
  Pos next_pos() { return ++pos_; }

  // A task with one frame of two records.
  Frame create(const TaskId& id, const std::string& tenant = "acme") {
    Batch batch = creation(id, tenant, next_pos(), store().epoch());
    Frame frame = batch.frames[0];
    const CommitResult result = commit(store(), std::move(batch));
    EXPECT_EQ(result.kind, Commit::kDurable) << result.message;
    return frame;
  }
  Batch step(const Frame& previous, uint32_t count = 1, const std::string& text = "step") {
    Batch batch;
    batch.frames.push_back(
        frame_after(&previous, previous.task, next_pos(), store().epoch(), count, text));
    return batch;
  }
  void expect_refused(Batch batch, const std::vector<TaskId>& tasks) {
    const std::string before = dump(open_->rows());
    const CommitResult result = commit(store(), std::move(batch));
    EXPECT_EQ(result.kind, Commit::kRefused) << result.message;
    EXPECT_EQ(result.refused, tasks);
    EXPECT_EQ(dump(open_->rows()), before) << "a refused batch writes nothing";
  }
  void expect_durable(Batch batch) {
    const CommitResult result = commit(store(), std::move(batch));
    EXPECT_EQ(result.kind, Commit::kDurable) << result.message;
    EXPECT_TRUE(result.refused.empty());
  }

  std::unique_ptr<OpenStore> open_;
  Pos pos_ = 0;
};

}  // namespace perdure::store_test
