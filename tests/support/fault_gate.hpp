// SPDX-License-Identifier: BSD-3-Clause
//
// A TCP proxy on loopback between a client and a server, which does to their connections, on demand, what networks and
// ailing servers do. Any thread.

#pragma once

#include <cstddef>
#include <memory>

namespace sheaf::test {

enum class fault {
  none,       ///< All is passed on.
  refuse,     ///< Nobody listens: new connections are refused.
  ignore,     ///< New connections are not taken; the system holds them in its queue.
  black_hole, ///< All is taken, from both sides, and nothing passed on; not even that one side has hung up.
  delay,      ///< The server's words come later.
  trickle,    ///< The server's words come one byte at a time.
  cut,        ///< The connections are closed, in good order.
  reset,      ///< The connections are reset.
  garbage,    ///< Something that is not PostgreSQL's protocol comes instead of the server's words.
  denial,     ///< Simple queries are answered with an error instead, and never get to the server.
  promise,    ///< A message that claims to be long, and has no end, comes instead of the server's words.
  wedge,      ///< A connection whose client sends two statements at once hears nothing more, as behind some poolers.
};

class fault_gate {
public:
  /// A gate in front of this port.
  explicit fault_gate(int server_port);
  ~fault_gate(); ///< Ends all connections.

  fault_gate(const fault_gate&) = delete;
  fault_gate& operator=(const fault_gate&) = delete;

  int port() const noexcept;

  /// Starts a fault now, or once the server has said `after` more bytes. When this returns, nothing passes any more
  /// that should not.
  void strike(fault kind, std::size_t after = 0);

  /// Starts a fault once the server has said so many more whole messages, on all connections together, and so many
  /// bytes of what follows. Only where the connections are neither encrypted nor there yet.
  void strike_behind(fault kind, std::size_t messages, std::size_t bytes);

  /// True when it has started: the messages and bytes are used up.
  bool struck() const;

  /// All is well again for new connections. Old ones go on as well, unless something on them was lost: these are reset.
  void heal();

  std::size_t connections() const; ///< Connections that are open on the client's side.

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace sheaf::test
