// SPDX-License-Identifier: BSD-3-Clause
//
// The private PostgreSQL as its operator has it: stopped, started, and paused. Whatever a test does, and however it
// ends, the server runs again afterwards.

#pragma once

#include <string>

namespace sheaf::test {

class server_control {
public:
  server_control() = default;
  ~server_control();

  server_control(const server_control&) = delete;
  server_control& operator=(const server_control&) = delete;

  void stop();    ///< As a crash would.
  void start();   ///< Returns when it takes connections.
  void restart(); ///< Both.

  void pause();  ///< The postmaster alone: its backends go on. The system still takes connections for it.
  void resume(); ///< Also when it is not paused.

private:
  void run(const std::string& command);

  bool stopped_ = false;
};

} // namespace sheaf::test
