// SPDX-License-Identifier: BSD-3-Clause

#include "support/http_client.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstdint>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace sheaf::test {

namespace {

constexpr timeval patience{.tv_sec = 30, .tv_usec = 0}; // longer than any answer takes

std::string small_letters(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::map<std::string, std::string> fields_of(const std::string& head) {
  std::map<std::string, std::string> all;
  for (auto at = head.find("\r\n"); at != head.npos && at + 2 < head.size();) {
    const auto begin = at + 2;
    at = head.find("\r\n", begin);
    const auto line = head.substr(begin, at - begin);
    const auto colon = line.find(": ");
    if (colon != line.npos)
      all[small_letters(line.substr(0, colon))] = line.substr(colon + 2);
  }
  return all;
}

} // namespace

http_client::http_client(int port, int receive_bytes) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  if (receive_bytes > 0)
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
}

http_client::~http_client() {
  if (socket_ >= 0)
    ::close(socket_);
}

bool http_client::send(std::string_view text) const {
  while (!text.empty()) {
    const auto sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool http_client::read_some() {
  char piece[1 << 14];
  const auto got = ::recv(socket_, piece, sizeof piece, 0);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
    throw std::runtime_error("nothing came for half a minute, after: " + unread_);
  was_reset_ = got < 0 && errno == ECONNRESET;
  if (got > 0)
    unread_.append(piece, static_cast<std::size_t>(got));
  return got > 0;
}

bool http_client::read_until(std::string_view text) {
  while (unread_.find(text) == unread_.npos)
    if (!read_some())
      return false;
  return true;
}

http_answer http_client::receive(bool to_head) {
  http_answer x;
  if (!read_until("\r\n\r\n"))
    return x;
  x.head = unread_.substr(0, unread_.find("\r\n\r\n") + 2);
  unread_.erase(0, x.head.size() + 2);
  x.status = std::stoi(x.head.substr(x.head.find(' ')));
  x.fields = fields_of(x.head);
  if (to_head || x.status == 204 || x.status == 100)
    return x;
  if (x.field("transfer-encoding") == "chunked") {
    read_chunks(x);
    return x;
  }
  const auto length = x.field("content-length");
  const auto size = length.empty() ? std::string::npos : std::stoul(length);
  while (unread_.size() < size)
    if (!read_some()) {
      if (length.empty())
        break;
      throw std::runtime_error("closed within an answer: " + x.head);
    }
  x.body = unread_.substr(0, size);
  unread_.erase(0, x.body.size());
  return x;
}

void http_client::read_chunks(http_answer& into) {
  for (;;) {
    if (!read_until("\r\n"))
      throw std::runtime_error("closed between chunks: " + into.head);
    const auto line_end = unread_.find("\r\n");
    const auto size = std::stoul(unread_.substr(0, line_end), nullptr, 16);
    while (unread_.size() < line_end + 2 + size + 2)
      if (!read_some())
        throw std::runtime_error("closed within a chunk: " + into.head);
    into.body.append(unread_, line_end + 2, size);
    unread_.erase(0, line_end + 2 + size + 2);
    if (size == 0)
      return;
  }
}

http_answer http_client::get(std::string_view target, std::string_view more_fields) {
  return ask("GET " + std::string{target} + " HTTP/1.1\r\nHost: localhost\r\n" + std::string{more_fields} + "\r\n");
}

http_answer http_client::post(std::string_view target, std::string_view json, std::string_view more_fields) {
  return ask("POST " + std::string{target} +
             " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
             std::to_string(json.size()) + "\r\n" + std::string{more_fields} + "\r\n" + std::string{json});
}

std::string http_client::rest() {
  while (read_some()) {
  }
  return unread_;
}

bool http_client::has_answer() const {
  pollfd one{.fd = socket_, .events = POLLIN, .revents = 0};
  return ::poll(&one, 1, 1) == 1;
}

void http_client::close_sending() const { ::shutdown(socket_, SHUT_WR); }

void http_client::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(socket_);
  socket_ = -1;
}

} // namespace sheaf::test
