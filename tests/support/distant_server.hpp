// SPDX-License-Identifier: BSD-3-Clause
//
// A PostgreSQL server of the test's own at the other end of a link. It has namespaces of its own, for its processes
// too, and is killed with all of them when its maker's thread ends, however that ends.

#pragma once

#include "support/database_under_test.hpp"
#include "support/network_link.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <sys/types.h>

namespace sheaf::test {

/// While it lives, SHEAF_TEST_POSTGRES leads to it by its unix socket, which no weather reaches.
class distant_server {
public:
  static constexpr int port = 5432;

  /// Returns when it takes connections: by the link, from the user `sheaf`. Throws its log where it does not.
  explicit distant_server(network_link& link);
  ~distant_server();

  distant_server(const distant_server&) = delete;
  distant_server& operator=(const distant_server&) = delete;

  /// The connections with our end of the link that processes at the other end hold, as their system sees them.
  int connections() const;
  std::size_t unacknowledged() const; ///< Bytes that these have sent, and that our end has not said to have got.

private:
  void for_each_connection(const std::function<void(std::size_t unacknowledged)>& f) const;
  void start();

  temporary_folder folder_;
  const std::string data_ = folder_ / "data", former_;
  pid_t process_ = 0;
};

} // namespace sheaf::test
