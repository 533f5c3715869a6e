// SPDX-License-Identifier: BSD-3-Clause
//
// The access log: a JSON object a line for each request, on stderr. One for each loop, on its thread; the lines go
// several at once to a thread that may wait for their reader.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
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

class access_log {
public:
  /// Null: nothing is written.
  explicit access_log(std::shared_ptr<spdlog::logger> to) : to_(std::move(to)) {}
  ~access_log() { flush(); }
  access_log(const access_log&) = delete;
  access_log& operator=(const access_log&) = delete;

  void add(const access_record& x);

  /// Hands over what has gathered.
  void flush();

private:
  std::shared_ptr<spdlog::logger> to_;
  std::string lines_;
};

/// The logs of the service, all on stderr and written by a thread of their own, so that nobody who logs waits: lines
/// that it cannot write in time are lost, the oldest first.
struct stderr_logs {
  std::shared_ptr<spdlog::logger> access; ///< Lines as they are.
  std::shared_ptr<spdlog::logger> events; ///< `{"time":…,"level":"warning","message":…}` around each message.
  std::shared_ptr<void> writer;           ///< The thread, which ends with this, before what it writes to.
};
stderr_logs make_stderr_logs();

/// `2026-01-31T12:00:00.123Z`.
void append_time(std::string& out, std::chrono::system_clock::time_point when);

} // namespace sheaf::app::serve
