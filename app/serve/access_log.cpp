// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/access_log.hpp"

#include "app/serve/stderr_writer.hpp"

#include "app/base/json_text.hpp"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/base_sink.h>

#include <iterator>
#include <mutex>

namespace sheaf::app::serve {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t gathered_bytes_max = 1 << 15;
constexpr std::size_t queue_length = 4096;

void append_member(std::string& out, std::string_view name, std::string_view text) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":", name);
  append_json_string(out, text);
}

class event_formatter : public spdlog::formatter {
public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& to) override {
    std::string line = "{\"time\":\"";
    append_time(line, message.time);
    line += '"';
    const auto level = spdlog::level::to_string_view(message.level);
    append_member(line, "level", {level.data(), level.size()});
    append_member(line, "message", {message.payload.data(), message.payload.size()});
    line += "}\n";
    to.append(line.data(), line.data() + line.size());
  }

  std::unique_ptr<formatter> clone() const override { return std::make_unique<event_formatter>(); }
};

/// A reader that rests for a while loses nothing; one that has stopped reading holds up neither the log nor the
/// service's end.
class stderr_sink : public spdlog::sinks::base_sink<std::mutex> {
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    const std::chrono::milliseconds patience = is_stuck_ ? 0ms : 1s;
    if (is_within_line_ && !to_.write("\n", patience).empty())
      return;
    const auto lost = to_.write({text.data(), text.size()}, patience);
    is_stuck_ = !lost.empty();
    is_within_line_ = is_stuck_ && lost.size() < text.size();
  }
  void flush_() override {}

  stderr_writer to_;
  bool is_stuck_ = false, is_within_line_ = false; ///< The state as of the last write.
};

} // namespace

void append_time(std::string& out, std::chrono::system_clock::time_point when) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(when);
  const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(when - whole).count();
  const std::time_t second = std::chrono::system_clock::to_time_t(whole);
  thread_local std::time_t last = -1;
  thread_local char text[24];
  if (second != last) {
    last = second;
    std::tm utc{};
    gmtime_r(&second, &utc);
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  }
  fmt::format_to(std::back_inserter(out), "{}.{:03}Z", text, rest);
}

void access_log::add(const access_record& x) {
  if (!to_)
    return;
  auto& out = lines_;
  out += "{\"time\":\"";
  append_time(out, std::chrono::system_clock::now());
  out += '"';
  append_member(out, "request_id", x.request_id);
  append_member(out, "trace_id", x.trace_id);
  append_member(out, "client", x.client);
  append_member(out, "method", x.method);
  append_member(out, "path", x.path);
  fmt::format_to(std::back_inserter(out), ",\"status\":{},\"bytes\":{},\"duration_ms\":{:.3f}", x.status, x.bytes,
                 static_cast<double>(x.duration.count()) / 1e6);
  if (!x.code.empty())
    append_member(out, "error", x.code);
  if (!x.detail.empty())
    append_member(out, "detail", x.detail);
  out += "}\n";
  if (out.size() >= gathered_bytes_max)
    flush();
}

void access_log::flush() {
  if (lines_.empty())
    return;
  lines_.pop_back(); // the logger ends the last line
  to_->log(spdlog::level::info, std::string_view{lines_});
  lines_.clear();
}

stderr_logs make_stderr_logs() {
  const auto writer = std::make_shared<spdlog::details::thread_pool>(queue_length, 1);
  const auto make = [&] {
    return std::make_shared<spdlog::async_logger>("sheaf", std::make_shared<stderr_sink>(), writer,
                                                  spdlog::async_overflow_policy::overrun_oldest);
  };
  stderr_logs made{.access = make(), .events = make(), .writer = writer};
  made.access->set_pattern("%v");
  made.events->set_formatter(std::make_unique<event_formatter>());
  return made;
}

} // namespace sheaf::app::serve
