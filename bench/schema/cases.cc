#include "schema/cases.h"

#include <fmt/format.h>

namespace perdure::bench {

namespace {

Layout chosen(std::string name) {
  Layout layout{.name = std::move(name)};
  layout.integer_tenant = true;
  layout.idempotency = Idempotency::kHashRowid;
  return layout;
}

}  // namespace

std::vector<Case> layout_cases() {
  std::vector<Case> cases;
  auto add = [&](std::string name, auto change) {
    Layout layout{.name = std::move(name)};
    change(layout);
    cases.push_back({layout, {}});
  };
  add("a uuid task", [](Layout& l) { l.integer_task = false; });
  add("b integer task", [](Layout&) {});
  add("c clustered uuid", [](Layout& l) {
    l.shape = FrameShape::kClustered;
    l.integer_task = false;
  });
  add("c clustered integer", [](Layout& l) { l.shape = FrameShape::kClustered; });
  add("d row per record", [](Layout& l) { l.row_per_record = true; });
  add("e chain in body", [](Layout& l) { l.chain_in_body = true; });
  add("f linked", [](Layout& l) { l.shape = FrameShape::kLinked; });
  add("g deferred index", [](Layout& l) { l.shape = FrameShape::kDeferred; });
  add("b idem hash", [](Layout& l) { l.idempotency = Idempotency::kHash; });
  add("b idem hash rowid", [](Layout& l) { l.idempotency = Idempotency::kHashRowid; });
  add("b integer tenant", [](Layout& l) { l.integer_tenant = true; });
  cases.push_back({chosen("chosen"), {}});
  cases.push_back({chosen("chosen deferred"), {}});
  cases.back().layout.shape = FrameShape::kDeferred;
  return cases;
}

std::vector<Case> page_cases() {
  std::vector<Case> cases;
  for (int page_bytes : {4096, 8192, 16384}) {
    for (int cache_kib : {2048, 65536, 262144}) {
      Layout layout = chosen(fmt::format("page {} cache {} MiB", page_bytes, cache_kib / 1024));
      layout.tuning.page_bytes = page_bytes;
      layout.tuning.cache_kib = cache_kib;
      // The same bytes of log for each page size.
      cases.push_back({layout, {true, 4000 * 4096 / page_bytes}});
    }
  }
  return cases;
}

std::vector<Case> log_cases() {
  std::vector<Case> cases;
  for (int pages : {250, 1000, 2000, 4000, 16000}) {
    cases.push_back({chosen(fmt::format("passive {}", pages)), {true, pages}});
  }
  cases.push_back({chosen("restart 4000"), {true, 4000, SQLITE_CHECKPOINT_RESTART}});
  cases.push_back({chosen("truncate 4000 (grows)"), {false, 4000, SQLITE_CHECKPOINT_TRUNCATE}});
  cases.push_back({chosen("chunk 16M 4000"), {true, 4000}});
  cases.back().layout.tuning.chunk_bytes = 16 << 20;
  cases.push_back({chosen("exclusive 4000"), {true, 4000}});
  cases.back().layout.tuning.exclusive = true;
  return cases;
}

}  // namespace perdure::bench
