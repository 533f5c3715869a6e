// SPDX-License-Identifier: BSD-3-Clause
//
// A PostgreSQL server for one client of this process. It lets the client in and agrees to whatever it says, so that a
// library that can only make a session by connecting can make one without a database.

#pragma once

#include <atomic>
#include <string>
#include <thread>

namespace sheaf {

class stand_in_server {
public:
  /// Listens on an abstract unix socket (unix(7)), on a thread of its own. Throws std::system_error when there is no
  /// descriptor or thread left, or the system forbids unix sockets.
  stand_in_server();
  /// Waits until the client is gone, or for two seconds.
  ~stand_in_server();

  stand_in_server(const stand_in_server&) = delete;
  stand_in_server& operator=(const stand_in_server&) = delete;

  /// A connection string, which no variable of libpq's in the environment changes.
  std::string url() const;

private:
  class descriptor {
  public:
    explicit descriptor(int fd) noexcept : fd_(fd) {}
    ~descriptor();
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    operator int() const noexcept { return fd_; }

  private:
    int fd_;
  };

  void serve();
  static void answer(int client);

  const std::string name_;
  const descriptor listener_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

} // namespace sheaf
