// SPDX-License-Identifier: BSD-3-Clause
//
// A server that takes connections and never says a word: a socket on loopback that listens and is not accepted from.

#pragma once

#include <string>

namespace sheaf::test {

class silent_server {
public:
  silent_server();
  ~silent_server() { hang_up(); }

  silent_server(const silent_server&) = delete;
  silent_server& operator=(const silent_server&) = delete;

  int port() const noexcept { return port_; }
  std::string url() const; ///< A PostgreSQL connection string.

  void hang_up(); ///< Ends all connections; the next ones are refused.

private:
  int socket_;
  int port_ = 0;
};

} // namespace sheaf::test
