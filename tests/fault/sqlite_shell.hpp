// SPDX-License-Identifier: BSD-3-Clause
//
// Another process that has an SQLite database open: the `sqlite3` shell, told what to do line by line.

#pragma once

#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

namespace sheaf::test {

class sqlite_shell {
public:
  explicit sqlite_shell(const std::string& file) {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0)
      throw std::runtime_error("no pipes");
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::string program = "sqlite3", batch = "-batch", path = file;
    char* const arguments[] = {program.data(), batch.data(), path.data(), nullptr};
    const int error = ::posix_spawnp(&pid_, program.c_str(), &actions, nullptr, arguments, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    to_ = ::fdopen(in[1], "w");
    from_ = ::fdopen(out[0], "r");
    if (error != 0)
      throw std::runtime_error("sqlite3 does not start");
  }

  ~sqlite_shell() {
    std::fclose(to_);
    kill();
    std::fclose(from_);
  }

  sqlite_shell(const sqlite_shell&) = delete;
  sqlite_shell& operator=(const sqlite_shell&) = delete;

  /// Runs `sql`, waits until it is over, and gives what it prints.
  std::string operator()(const std::string& sql) {
    std::fprintf(to_, "%s;\nselect '%s';\n", sql.c_str(), end);
    std::fflush(to_);
    std::string out;
    for (char line[1000]; std::fgets(line, sizeof line, from_);) {
      if (std::string{line} == std::string{end} + '\n')
        return out;
      out += line;
    }
    throw std::runtime_error("sqlite3 has ended");
  }

  /// As by `kill -9`.
  void kill() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(std::exchange(pid_, 0), nullptr, 0);
    }
  }

private:
  static constexpr auto end = "-- that is all --";

  pid_t pid_ = 0;
  std::FILE *to_ = nullptr, *from_ = nullptr;
};

} // namespace sheaf::test
