#pragma once
// The text format of Prometheus 0.0.4:
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "engine/histogram.h"

namespace perdure::api {

using MetricLabel = std::pair<std::string_view, std::string_view>;

class MetricsWriter {
 public:
  void counter(std::string_view name, std::string_view help, double value) {
    head(name, help, "counter");
    sample(value);
  }
  void gauge(std::string_view name, std::string_view help, double value) {
    head(name, help, "gauge");
    sample(value);
  }
  void histogram(std::string_view name, std::string_view help, const engine::Histogram& values);

  // Begins a family, whose samples follow. It is written with its first one: a family without
  // samples is not shown.
  void family(std::string_view name, std::string_view help, std::string_view type);
  void sample(std::initializer_list<MetricLabel> labels, double value);

  std::string text() && { return std::move(out_); }

 private:
  void head(std::string_view name, std::string_view help, std::string_view type);
  void sample(double value) { sample({}, value); }
  void line(std::string_view suffix, std::initializer_list<MetricLabel> labels, double value);

  std::string out_;
  std::string name_;
  std::string head_;  // of a family without samples so far
};

}  // namespace perdure::api
