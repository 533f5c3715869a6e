// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/service_log.hpp"

#include "app/serve/stderr_writer.hpp"

#include "app/base/json_text.hpp"
#include "app/base/text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/base_sink.h>

#include <iterator>
#include <unistd.h>

namespace sheaf::app::serve {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t gathered_bytes_max = 1 << 15;
constexpr std::size_t queue_length = 4096;

void append_member(std::string& out, std::string_view name, std::string_view text) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":", name);
  append_json_string(out, text);
}

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

/// Hands each message of a logger to the log.
class event_sink : public spdlog::sinks::sink {
public:
  explicit event_sink(std::shared_ptr<service_log> to) : to_(std::move(to)) {}

  void log(const spdlog::details::log_msg& message) override {
    to_->add(message.level, {message.payload.data(), message.payload.size()});
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

private:
  const std::shared_ptr<service_log> to_;
};

/// The members behind the time.
std::string as_json(const access_record& x) {
  std::string out;
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
  return out;
}

std::string as_json(std::string_view level, std::string_view message) {
  std::string out;
  append_member(out, "level", level);
  append_member(out, "message", message);
  return out;
}

std::string as_words(const access_record& x) {
  auto out = fmt::format(" {} {} {}, {:.1f} ms, {} bytes", x.method, one_line(x.path), x.status,
                         static_cast<double>(x.duration.count()) / 1e6, x.bytes);
  if (!x.code.empty())
    fmt::format_to(std::back_inserter(out), ", {}", x.code);
  if (!x.detail.empty())
    fmt::format_to(std::back_inserter(out), ": {}", one_line(x.detail));
  if (!x.code.empty())
    fmt::format_to(std::back_inserter(out), " (request {})", x.request_id);
  return out;
}

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

void service_log::add(const access_record& x) {
  const auto line = whose_ == reader::program ? as_json(x) : as_words(x);
  const std::lock_guard held{mutex_};
  append(line);
  if (lines_.size() >= gathered_bytes_max)
    hand_over();
}

void service_log::add(spdlog::level::level_enum level, std::string_view message) {
  const auto name = spdlog::level::to_string_view(level);
  const std::string_view word{name.data(), name.size()};
  const auto line =
      whose_ == reader::program ? as_json(word, message) : fmt::format(" {}: {}", word, one_line(message));
  const std::lock_guard held{mutex_};
  append(line);
  hand_over();
}

void service_log::flush() {
  const std::lock_guard held{mutex_};
  hand_over();
}

/// The time is taken here, under the lock: so no line is older than the one before it.
void service_log::append(std::string_view line) {
  const auto now = std::chrono::system_clock::now();
  if (whose_ == reader::program) {
    lines_ += "{\"time\":\"";
    append_time(lines_, now);
    lines_.append("\"").append(line).append("}\n");
    return;
  }
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(now);
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  fmt::format_to(std::back_inserter(lines_), "{:%H:%M:%S}.{:03}{}\n",
                 fmt::localtime(std::chrono::system_clock::to_time_t(second)), (whole - second).count(), line);
}

void service_log::hand_over() {
  if (lines_.empty())
    return;
  lines_.pop_back(); // the logger ends the last line
  to_->log(spdlog::level::info, std::string_view{lines_});
  lines_.clear();
}

std::shared_ptr<service_log> make_stderr_log() {
  auto writer = std::make_shared<spdlog::details::thread_pool>(queue_length, 1);
  auto to = std::make_shared<spdlog::async_logger>("sheaf", std::make_shared<stderr_sink>(), writer,
                                                   spdlog::async_overflow_policy::overrun_oldest);
  to->set_pattern("%v");
  return std::make_shared<service_log>(
      std::move(to), isatty(STDERR_FILENO) ? service_log::reader::person : service_log::reader::program,
      std::move(writer));
}

std::shared_ptr<spdlog::logger> make_event_logger(std::shared_ptr<service_log> to) {
  return std::make_shared<spdlog::logger>("sheaf", std::make_shared<event_sink>(std::move(to)));
}

} // namespace sheaf::app::serve
