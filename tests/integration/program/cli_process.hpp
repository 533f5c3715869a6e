// SPDX-License-Identifier: BSD-3-Clause
//
// Runs the built program, and others, as child processes, on pipes or on a terminal. Test's thread.

#pragma once

#include "app/base/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <poll.h>
#include <pty.h>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace cli {

using words = std::vector<std::string>;

inline const std::string memory = "sqlite::memory:";

/// The program: SHEAF_PROGRAM, or the one built beside these tests.
inline std::string program() {
  if (const char* given = std::getenv("SHEAF_PROGRAM"))
    return given;
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "app" / "sheaf";
}

/// The private server's connection string.
inline std::string postgres() {
  const char* given = std::getenv("SHEAF_TEST_POSTGRES");
  if (given == nullptr)
    throw std::runtime_error("SHEAF_TEST_POSTGRES is not set; tests/run sets it");
  return given;
}

/// The content of a file.
inline std::string text_of(const std::filesystem::path& file) {
  std::ifstream in{file};
  return (std::ostringstream{} << in.rdbuf()).str();
}

struct finished {
  int exit_code = -1; ///< -1 when a signal ended it.
  std::string out, err;
};

struct setting {
  std::string input;                                ///< The text on standard input.
  std::map<std::string, std::string> environment{}; ///< Added to a plain one; an empty value unsets.
  std::string directory{};                          ///< The folder where it runs; empty for this one.
  int columns = 0;                                  ///< Width of the terminal that all three streams are; 0 for pipes.
  std::string output{};                             ///< A file in place of the pipe for standard output.
};

inline void check(bool ok, const char* where) {
  if (!ok)
    throw std::system_error(errno, std::generic_category(), where);
}

/// A child process. Ends with it: whatever still runs is killed.
class child {
public:
  child(const words& command, const setting& how = {}) {
    int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
    if (how.columns > 0) {
      winsize size{};
      size.ws_row = 25;
      size.ws_col = static_cast<unsigned short>(how.columns);
      pid_ = forkpty(&out_, nullptr, nullptr, &size);
    } else {
      check(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0, "pipe");
      pid_ = fork();
    }
    check(pid_ >= 0, "fork");
    if (pid_ == 0)
      become(command, how, in[0], out[1], err[1]);
    if (how.columns > 0)
      return;
    close(in[0]);
    close(out[1]);
    close(err[1]);
    out_ = out[0];
    err_ = err[0];
    check(how.input.size() < 4096, "the input does not fit into a pipe");
    check(write(in[1], how.input.data(), how.input.size()) == static_cast<ssize_t>(how.input.size()), "write");
    close(in[1]);
  }

  ~child() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    for (const int fd : {out_, err_})
      if (fd >= 0)
        close(fd);
  }

  child(const child&) = delete;
  child& operator=(const child&) = delete;

  /// Reads until standard output holds `text`, and gives all that it has said so far. Throws when it ends without, or
  /// has not said it within a minute.
  const std::string& read_until(const std::string& text) {
    wait_for(text, result_.out, 0);
    return result_.out;
  }

  /// The same for standard error: the next line there that holds `text`, behind the last that this has given.
  std::string error_line_with(const std::string& text) {
    const auto at = wait_for(text, result_.err, error_read_);
    const auto end = wait_for("\n", result_.err, at);
    const auto before = result_.err.rfind('\n', at);
    const auto begin = before == std::string::npos ? 0 : before + 1;
    error_read_ = end + 1;
    return result_.err.substr(begin, end - begin);
  }

  pid_t id() const noexcept { return pid_; }

  void send(int signal) const { check(kill(pid_, signal) == 0, "kill"); }

  /// Reads all that is left, and waits for the end.
  finished finish() {
    while (read_some()) {
    }
    int status = 0;
    check(waitpid(pid_, &status, 0) == pid_, "waitpid");
    pid_ = -1;
    result_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return std::move(result_);
  }

private:
  [[noreturn]] static void become(const words& command, const setting& how, int in, int out, int err) {
    if (in >= 0) {
      dup2(in, STDIN_FILENO);
      dup2(how.output.empty() ? out : open(how.output.c_str(), O_WRONLY), STDOUT_FILENO);
      dup2(err, STDERR_FILENO);
    }
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    for (const auto& [name, value] : how.environment)
      value.empty() ? unsetenv(name.c_str()) : setenv(name.c_str(), value.c_str(), 1);
    if (!how.directory.empty() && chdir(how.directory.c_str()) != 0)
      _exit(126);
    std::vector<char*> arguments;
    for (const auto& word : command)
      arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }

  /// The position of `text` in what is read into `stream`, at `from` or behind it.
  std::size_t wait_for(const std::string& text, const std::string& stream, std::size_t from) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    for (;;) {
      if (const auto at = stream.find(text, from); at != stream.npos)
        return at;
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up - std::chrono::steady_clock::now());
      if (left.count() <= 0 || !read_some(static_cast<int>(left.count())))
        throw std::runtime_error("it does not say: " + text + "\n" + result_.out + result_.err);
    }
  }

  /// Reads from whichever stream has something, and waits for it this long at most; false when both have ended.
  bool read_some(int milliseconds = -1) {
    pollfd streams[] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};
    if (out_ < 0 && err_ < 0)
      return false;
    check(poll(streams, 2, milliseconds) >= 0, "poll");
    take(streams[0], out_, result_.out);
    take(streams[1], err_, result_.err);
    return true;
  }

  static void take(const pollfd& from, int& fd, std::string& to) {
    if (from.revents == 0)
      return;
    char piece[1 << 14];
    const auto got = ::read(fd, piece, sizeof piece);
    if (got > 0) {
      to.append(piece, static_cast<std::size_t>(got));
    } else { // A terminal says EIO when nobody holds its other end any more.
      close(fd);
      fd = -1;
    }
  }

  pid_t pid_ = -1;
  int out_ = -1, err_ = -1;
  finished result_;
  std::size_t error_read_ = 0; ///< The end of the last line that `error_line_with` has given.
};

inline finished run(const words& command, const setting& how = {}) { return child{command, how}.finish(); }

/// Runs `sheaf` with these arguments.
inline finished run_sheaf(words arguments, const setting& how = {}) {
  arguments.insert(arguments.begin(), program());
  return run(arguments, how);
}

inline words lines_of(const std::string& text) {
  words lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// The lines below `Examples:` in the help of a command.
inline words examples_of(const words& command) {
  const auto help = run_sheaf(command);
  EXPECT_EQ(help.exit_code, 0);
  words examples;
  bool reached = false;
  for (const auto& line : lines_of(help.out)) {
    if (reached && !line.starts_with("  "))
      break;
    if (reached)
      examples.push_back(line.substr(2));
    reached = reached || line == "Examples:";
  }
  EXPECT_FALSE(examples.empty());
  return examples;
}

} // namespace cli
