// SPDX-License-Identifier: BSD-3-Clause
//
// One connection to an HTTP service on this machine, byte by byte: the bytes sent are those of the test, also when they
// are no HTTP. Test's thread.

#pragma once

#include <map>
#include <string>
#include <string_view>

namespace sheaf::test {

struct http_answer {
  int status = 0; ///< 0 when the connection ended without an answer.
  std::string head;
  std::string body;                          ///< The body without its chunks' frames.
  std::map<std::string, std::string> fields; ///< The fields by name in small letters; of several the last.

  std::string field(const std::string& name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string{} : found->second;
  }
};

class http_client {
public:
  /// Connects to 127.0.0.1. `receive_bytes` is a small window for a slow reader; 0 for the usual one.
  explicit http_client(int port, int receive_bytes = 0);
  ~http_client();
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  bool connected() const noexcept { return connected_; }

  /// False when the other side takes no more.
  bool send(std::string_view text) const;

  /// The next answer. `to_head` is one to HEAD, which has no body. Waits half a minute at most.
  http_answer receive(bool to_head = false);

  /// One after the other.
  http_answer ask(std::string_view text) {
    send(text);
    return receive();
  }
  http_answer get(std::string_view target, std::string_view more_fields = {});
  http_answer post(std::string_view target, std::string_view json, std::string_view more_fields = {});

  /// Reads until there is this text; false when the other side closes first.
  bool read_until(std::string_view text);

  /// The bytes that come until the other side closes. Throws when it does not within half a minute.
  std::string rest();

  /// True when the other side has ended the connection by a reset, as far as has been read.
  bool was_reset() const noexcept { return was_reset_; }

  /// True when something can be read.
  bool has_answer() const;

  void close_sending() const; ///< A client that sends no more.
  void reset();               ///< A client that is gone, at once.

  const std::string& unread() const noexcept { return unread_; }

private:
  bool read_some();
  void read_chunks(http_answer& into);

  int socket_;
  bool connected_ = false, was_reset_ = false;
  std::string unread_;
};

} // namespace sheaf::test
