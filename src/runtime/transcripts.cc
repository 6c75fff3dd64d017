#include "runtime/transcripts.h"

#include <fmt/core.h>

#include "agent/builtin_tools.h"
#include "engine/journal_reader.h"
#include "engine/payload_reader.h"
#include "engine/snapshots.h"

namespace perdure::runtime {
namespace {

// The fold needs the bytes of every payload, wherever they stand.
Status fold(Transcript& transcript, engine::PayloadReader& payloads, Record record) {
  if (Payload* payload = payload_of(record.body)) TRY_STATUS(payloads.complete(*payload));
  transcript.apply(record);
  return transcript.status();
}

}  // namespace

std::shared_ptr<const Transcript> Transcripts::cached(const TaskId& task, Seq upto_seq) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(task);
  if (found == entries_.end() || found->second.transcript->seq() > upto_seq) return nullptr;
  order_.splice(order_.end(), order_, found->second.place);
  return found->second.transcript;
}

void Transcripts::keep(const TaskId& task, std::shared_ptr<const Transcript> transcript) {
  const std::lock_guard lock(mutex_);
  auto [entry, is_new] = entries_.try_emplace(task);
  if (is_new) entry->second.place = order_.insert(order_.end(), task);
  const uint64_t bytes = transcript->memory_bytes();
  bytes_ += bytes - entry->second.bytes;
  entry->second.bytes = bytes;
  entry->second.transcript = std::move(transcript);
  order_.splice(order_.end(), order_, entry->second.place);
  while (order_.size() > 1 && (entries_.size() > tasks_max_ || bytes_ > bytes_max_)) {
    const auto oldest = entries_.find(order_.front());
    bytes_ -= oldest->second.bytes;
    entries_.erase(oldest);
    order_.pop_front();
  }
}

Result<std::shared_ptr<const Transcript>> Transcripts::at(const TaskId& task,
                                                          const std::string& tenant,
                                                          const AgentSpec& spec, Seq upto_seq,
                                                          std::span<const Record> news) {
  auto known = cached(task, upto_seq);
  if (known && known->seq() == upto_seq) return known;
  std::shared_ptr<Transcript> transcript;
  if (known) {
    transcript = std::make_shared<Transcript>(*known);
  } else {
    TRY_ASSIGN(Transcript begun, begin(task, tenant, spec, upto_seq));
    transcript = std::make_shared<Transcript>(std::move(begun));
  }
  const Seq news_from = news.empty() ? upto_seq + 1 : news.front().seq;
  engine::PayloadReader payloads(store_, blobs_, tenant, task, watch_);
  if (transcript->seq() + 1 < news_from) {
    engine::JournalReader journal(store_, task, transcript->seq() + 1, watch_);
    while (transcript->seq() < upto_seq) {
      TRY_ASSIGN(Record * record, journal.next());
      if (record == nullptr) break;
      TRY_STATUS(fold(*transcript, payloads, std::move(*record)));
    }
  }
  for (const Record& record : news) {
    if (record.seq <= transcript->seq() || record.seq > upto_seq) continue;
    TRY_STATUS(fold(*transcript, payloads, record));
  }
  if (transcript->seq() != upto_seq) {
    return fail(Code::kUnavailable, fmt::format("{}: records up to {} are known, {} are needed",
                                                task.to_string(), transcript->seq(), upto_seq));
  }
  keep(task, transcript);
  return std::shared_ptr<const Transcript>(transcript);
}

Result<Transcript> Transcripts::begin(const TaskId& task, const std::string& tenant,
                                      const AgentSpec& spec, Seq upto_seq) {
  const InlineRules rules = inline_rules(spec);
  const auto snapshot =
      snapshots_ != nullptr ? snapshots_->find(task, TaskSnapshot::Kind::kPlanner) : std::nullopt;
  if (!snapshot || snapshot->format != Transcript::kFormat || snapshot->seq == 0 ||
      snapshot->seq > upto_seq) {
    return Transcript(rules);
  }
  engine::JournalReader journal(store_, task, snapshot->seq, watch_);
  TRY_ASSIGN(const Record* record, journal.next());
  if (record == nullptr || !engine::fits(journal, *snapshot)) return Transcript(rules);
  engine::PayloadReader payloads(store_, blobs_, tenant, task);
  auto kept = Transcript::decode(snapshot->body, rules,
                                 [&](Payload& payload) { return payloads.complete(payload); });
  if (!kept || kept->seq() != snapshot->seq) return Transcript(rules);
  return *std::move(kept);
}

Result<uint64_t> Transcripts::write_snapshot(const TaskId& task, const std::string& tenant,
                                             const AgentSpec& spec, Seq upto_seq) {
  if (snapshots_ == nullptr) return uint64_t{0};
  TRY_ASSIGN(Transcript transcript, begin(task, tenant, spec, upto_seq));
  const Seq known = transcript.seq();
  engine::PayloadReader payloads(store_, blobs_, tenant, task, watch_);
  engine::JournalReader journal(store_, task, known + 1, watch_);
  TaskSnapshot next;
  for (;;) {
    TRY_ASSIGN(Record * record, journal.next());
    if (record == nullptr || journal.frame_end() > upto_seq) break;
    TRY_STATUS(fold(transcript, payloads, std::move(*record)));
    next.chain = journal.chain();
  }
  if (transcript.seq() == known) return snapshots_->size_bytes(task, TaskSnapshot::Kind::kPlanner);
  next.task = task;
  next.kind = TaskSnapshot::Kind::kPlanner;
  next.seq = transcript.seq();
  next.format = Transcript::kFormat;
  next.body = transcript.encode();
  TRY_STATUS(snapshots_->put(next));
  return next.body.size();
}

}  // namespace perdure::runtime
