// SPDX-License-Identifier: BSD-3-Clause
//
// A logger that keeps all that is written.

#pragma once

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace sheaf::test {

class captured_log {
public:
  captured_log() {
    logger->set_level(spdlog::level::debug);
    logger->set_pattern("%l %v");
  }

  /// All lines so far: `<level> event=… …`.
  std::string text() const { return sink_->text(); }

  /// The number of times that `part` stands in the lines.
  std::size_t count(std::string_view part) const {
    const auto all = text();
    std::size_t n = 0;
    for (auto at = all.find(part); at != all.npos; at = all.find(part, at + part.size()))
      ++n;
    return n;
  }

private:
  /// Unlike spdlog's ostream_sink, one that can be read while others write.
  class sink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    std::string text() {
      std::lock_guard guard{mutex_};
      return text_;
    }

  private:
    void sink_it_(const spdlog::details::log_msg& message) override {
      spdlog::memory_buf_t line;
      formatter_->format(message, line);
      text_.append(line.data(), line.size());
    }
    void flush_() override {}

    std::string text_;
  };

  std::shared_ptr<sink> sink_ = std::make_shared<sink>();

public:
  const std::shared_ptr<spdlog::logger> logger = std::make_shared<spdlog::logger>("sheaf", sink_);
};

} // namespace sheaf::test
