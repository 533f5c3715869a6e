// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/postgresql/stand_in_server.hpp"

#include "sheaf/backend/postgresql/url.hpp"

#include <libpq-fe.h>

#include <fmt/format.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>
#include <system_error>

namespace sheaf {

namespace {

using namespace std::string_view_literals;

/// The client is in this process, so it is slow only where the whole process is.
constexpr timeval patience{.tv_sec = 2, .tv_usec = 0};

/// AuthenticationOk, two settings that libpq looks for, and ReadyForQuery (PostgreSQL manual, 55.7).
constexpr auto welcome = "R\0\0\0\x08\0\0\0\0"
                         "S\0\0\0\x16"
                         "server_version\0"
                         "15\0"
                         "S\0\0\0\x19"
                         "client_encoding\0"
                         "UTF8\0"
                         "Z\0\0\0\x05I"sv;

/// CommandComplete and ReadyForQuery.
constexpr auto agreed = "C\0\0\0\x08SET\0Z\0\0\0\x05I"sv;

/// A name that nobody else has, nor guesses.
std::string new_name() {
  std::random_device random;
  return fmt::format("sheaf-{}-{:08x}{:08x}", ::getpid(), random(), random());
}

int listen_as(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = fmt::format("{}/.s.PGSQL.5432", name); // behind a NUL: libpq 14 and later say @ for it
  path.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(fd, 8) != 0) {
    const std::error_code why{errno, std::generic_category()};
    ::close(fd);
    throw std::system_error(why, "a unix socket");
  }
  return fd;
}

bool is_ours(int client) noexcept {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == ::getpid();
}

bool write_all(int fd, std::string_view text) noexcept {
  return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

/// Reads a message whose length stands behind `bytes_before` others. False at the end.
bool read_message(int fd, std::size_t bytes_before) noexcept {
  unsigned char head[5];
  const auto size = bytes_before + 4;
  if (::recv(fd, head, size, MSG_WAITALL) != static_cast<ssize_t>(size))
    return false;
  const auto* at = head + bytes_before;
  auto left =
      std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | std::uint32_t{at[3]};
  if (left < 4)
    return false;
  char ignored[1024];
  for (left -= 4; left > 0;) {
    const auto got = ::recv(fd, ignored, std::min<std::size_t>(left, sizeof ignored), 0);
    if (got <= 0)
      return false;
    left -= static_cast<std::uint32_t>(got);
  }
  return true;
}

/// True when this libpq knows the keyword.
bool is_known(std::string_view keyword) {
  auto* const parsed = PQconninfoParse(fmt::format("{}=''", keyword).c_str(), nullptr);
  const bool known = parsed != nullptr;
  PQconninfoFree(parsed);
  return known;
}

} // namespace

stand_in_server::descriptor::~descriptor() { ::close(fd_); }

stand_in_server::stand_in_server() : name_(new_name()), listener_(listen_as(name_)), thread_([this] { serve(); }) {}

stand_in_server::~stand_in_server() {
  over_ = true;
  ::shutdown(listener_, SHUT_RDWR); // wakes `accept`
  thread_.join();
}

std::string stand_in_server::url() const {
  connection_parameters all{
      {"host", "@" + name_},       {"port", "5432"},         {"user", "sheaf"},
      {"dbname", "sheaf"},         {"password", "none"},     {"sslmode", "disable"},
      {"gssencmode", "disable"},   {"requirepeer", ""},      {"channel_binding", "disable"},
      {"client_encoding", "UTF8"}, {"connect_timeout", "5"}, {"target_session_attrs", "any"},
  };
  if (is_known("require_auth")) // libpq 16
    all.emplace_back("require_auth", "");
  if (is_known("sslnegotiation")) // libpq 17
    all.emplace_back("sslnegotiation", "postgres");
  return to_url(all);
}

/// Strangers may know the name of an abstract socket while it is there, so they are turned away.
void stand_in_server::serve() {
  while (!over_) {
    const descriptor client{::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)};
    if (client < 0)
      return; // it is over, or there is no descriptor left: the client gives up after its `connect_timeout`
    if (!is_ours(client))
      continue;
    ::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    answer(client);
    return;
  }
}

void stand_in_server::answer(int client) {
  if (!read_message(client, 0) || !write_all(client, welcome))
    return;
  while (read_message(client, 1)) // until the client has hung up
    if (!write_all(client, agreed))
      return;
}

} // namespace sheaf
