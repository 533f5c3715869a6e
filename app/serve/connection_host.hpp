// SPDX-License-Identifier: BSD-3-Clause
//
// The things that a connection gets from the loop that it lives on: memory, the clock of its headers. On that loop's
// thread.

#pragma once

#include "app/serve/activity.hpp"
#include "app/serve/exchange.hpp"
#include "app/serve/response.hpp"
#include "app/serve/service.hpp"

#include "sheaf/clock.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace sheaf::app::serve {

class connection;

class connection_host {
public:
  connection_host(boost::asio::io_context& context, service& of);
  connection_host(const connection_host&) = delete;
  connection_host& operator=(const connection_host&) = delete;

  boost::asio::io_context& context() noexcept { return context_; }
  service& shared() noexcept { return service_; }
  date_line& date() noexcept { return date_; }
  activity_batch& seen() noexcept { return seen_; }

  /// A request of the file, whose statements no other loop shares: counting references to the same would send them to
  /// and fro between the loops' caches.
  const request_spec& request(std::size_t index) const { return requests_[index]; }

  /// Memory for a request; `put_back` keeps some of it for the next.
  std::unique_ptr<exchange> take_exchange();
  void put_back(std::unique_ptr<exchange> x);

  /// The connection is over, and gone with this.
  virtual void end(connection& which) = 0;

  /// Passes the connection on to a loop that serves the present state of the file. It is gone with this.
  virtual void pass_on(connection& which) = 0;

  /// Connections are to end when they are idle.
  bool stopping() const noexcept { return stopping_; }

  /// Connections are to be passed on when they are idle.
  bool retired() const noexcept { return retired_ && !stopping_; }

  /// The answer of the last `/readyz`, while it is worth something.
  struct readiness {
    clock::time_point until{};
    std::string code, detail; ///< Of a failure; empty: ready. The detail is for the log.
  };
  readiness& ready() noexcept { return ready_; }

protected:
  ~connection_host();

  boost::asio::io_context& context_;
  service& service_;
  activity_batch seen_;
  bool stopping_ = false, retired_ = false;

private:
  std::vector<request_spec> requests_;
  std::vector<std::unique_ptr<exchange>> spare_;
  date_line date_;
  readiness ready_;
};

} // namespace sheaf::app::serve
