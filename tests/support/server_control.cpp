// SPDX-License-Identifier: BSD-3-Clause

#include "support/server_control.hpp"

#include "support/postgresql_server.hpp"

#include <csignal>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <stdexcept>

namespace sheaf::test {

namespace {

/// Its process; 0 when there is none.
int postmaster() {
  int pid = 0;
  std::ifstream{environment("SHEAF_TEST_POSTGRES_DATA") + "/postmaster.pid"} >> pid;
  return pid;
}

} // namespace

server_control::~server_control() {
  try {
    resume();
    if (stopped_)
      start();
  } catch (const std::exception&) { // the next test says so
  }
}

void server_control::stop() {
  stopped_ = true;
  run("stop --mode=immediate");
}

void server_control::start() {
  run("start");
  stopped_ = false;
}

void server_control::restart() {
  stopped_ = true;
  run("restart --mode=immediate");
  stopped_ = false;
}

void server_control::pause() {
  if (const int pid = postmaster(); pid == 0 || ::kill(pid, SIGSTOP) != 0)
    throw std::runtime_error("the postmaster cannot be stopped");
}

void server_control::resume() {
  if (const int pid = postmaster(); pid != 0)
    ::kill(pid, SIGCONT);
}

void server_control::run(const std::string& command) {
  // The shell, because the variable holds several words.
  const auto line = environment("SHEAF_TEST_POSTGRES_CTL") + ' ' + command;
  if (std::system(line.c_str()) != 0) // NOLINT(bugprone-command-processor): the text is with_postgres's
    throw std::runtime_error("pg_ctl " + command + " failed");
}

} // namespace sheaf::test
