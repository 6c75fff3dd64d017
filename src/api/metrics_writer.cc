#include "api/metrics_writer.h"

#include <fmt/format.h>

namespace perdure::api {
namespace {

void put_label_value(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

}  // namespace

void MetricsWriter::family(std::string_view name, std::string_view help, std::string_view type) {
  name_ = name;
  head_ = fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void MetricsWriter::head(std::string_view name, std::string_view help, std::string_view type) {
  family(name, help, type);
  out_ += head_;
  head_.clear();
}

void MetricsWriter::sample(std::initializer_list<MetricLabel> labels, double value) {
  out_ += head_;
  head_.clear();
  line("", labels, value);
}

void MetricsWriter::line(std::string_view suffix, std::initializer_list<MetricLabel> labels,
                         double value) {
  out_ += name_;
  out_ += suffix;
  char before = '{';
  for (const auto& [label, text] : labels) {
    out_ += before;
    out_ += label;
    out_ += "=\"";
    put_label_value(out_, text);
    out_ += '"';
    before = ',';
  }
  if (before == ',') out_ += '}';
  out_ += fmt::format(" {}\n", value);
}

void MetricsWriter::histogram(std::string_view name, std::string_view help,
                              const engine::Histogram& values) {
  head(name, help, "histogram");
  uint64_t below = 0;
  for (size_t i = 0; i < engine::Histogram::kBoundsUs.size(); ++i) {
    below += values.count(i);
    const auto bound = static_cast<double>(engine::Histogram::kBoundsUs[i]) / 1e6;
    line("_bucket", {{"le", fmt::format("{}", bound)}}, static_cast<double>(below));
  }
  below += values.count(engine::Histogram::kBoundsUs.size());
  line("_bucket", {{"le", "+Inf"}}, static_cast<double>(below));
  line("_sum", {}, static_cast<double>(values.sum_us()) / 1e6);
  line("_count", {}, static_cast<double>(below));
}

}  // namespace perdure::api
