// SPDX-License-Identifier: BSD-3-Clause
//
// The service's log: a line for each request that is over and for each event, in the order of their times. They go
// several at once to a thread that may wait for their reader.

#pragma once

#include <spdlog/common.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace sheaf::app::serve {

/// One request that is over. Its query string and its values are not in it.
struct access_record {
  std::string_view request_id, trace_id, method, path, client;
  unsigned status = 0; ///< 499 when the client went away first.
  std::uint64_t bytes = 0;
  std::chrono::nanoseconds duration{0};
  std::string_view code, detail; ///< The failure; empty when there is none.
};

/// Any thread. The lock is held for as long as it takes to copy a line.
class service_log {
public:
  enum class reader {
    program, ///< A JSON object a line.
    person,  ///< The time of day and a few words a line, safe for a terminal.
  };

  /// `to` writes lines as they are, and `writer`, if it has a thread for that, ends with this log.
  service_log(std::shared_ptr<spdlog::logger> to, reader whose, std::shared_ptr<void> writer = nullptr)
    : whose_(whose), to_(std::move(to)), writer_(std::move(writer)) {}
  ~service_log() { flush(); }
  service_log(const service_log&) = delete;
  service_log& operator=(const service_log&) = delete;

  /// Gathers; `flush` hands over.
  void add(const access_record& x);

  /// Hands over at once, with the lines before it.
  void add(spdlog::level::level_enum level, std::string_view message);

  void flush();

private:
  void append(std::string_view line);
  void hand_over();

  const reader whose_;
  std::mutex mutex_;
  std::string lines_;
  const std::shared_ptr<spdlog::logger> to_;
  const std::shared_ptr<void> writer_;
};

/// On stderr, for a person where that is a terminal. Lines that it cannot write in time are lost, the oldest first.
std::shared_ptr<service_log> make_stderr_log();

/// A logger whose messages are events in that log.
std::shared_ptr<spdlog::logger> make_event_logger(std::shared_ptr<service_log> to);

/// `2026-01-31T12:00:00.123Z`.
void append_time(std::string& out, std::chrono::system_clock::time_point when);

} // namespace sheaf::app::serve
