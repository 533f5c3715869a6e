// SPDX-License-Identifier: BSD-3-Clause

#include "support/pgbouncer.hpp"

#include "support/counting.hpp"
#include "support/postgresql_server.hpp"

#include <libpq-fe.h>

#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace sheaf::test {

namespace {

/// PgBouncer refuses to run as root. It ends with this thread, whatever ends that.
pid_t run(const std::string& settings) {
  const pid_t child = ::fork();
  if (child != 0)
    return child;
  if (::geteuid() == 0)
    ::execlp("setpriv", "setpriv", "--pdeathsig", "KILL", "--reuid=postgres", "--regid=postgres", "--init-groups",
             "pgbouncer", "-q", settings.c_str(), nullptr);
  else
    ::execlp("setpriv", "setpriv", "--pdeathsig", "KILL", "pgbouncer", "-q", settings.c_str(), nullptr);
  ::_exit(127);
}

} // namespace

pgbouncer::pgbouncer(std::string_view mode, int server_connections, std::string_view address)
  : mode_(mode), address_(address), server_connections_(server_connections) {
  // It cannot choose a free port by itself, and one that another test's has would seem to be its own while that lives.
  static int made = 0;
  for (int tries = 0; process_ == 0 && tries < 20; ++tries) {
    port_ = 32100 + (::getpid() + 211 * made++) % 600;
    start();
  }
  if (process_ == 0)
    throw std::runtime_error("PgBouncer does not start");
}

pgbouncer::~pgbouncer() { stop(); }

std::string pgbouncer::url(std::string_view more) const {
  return fmt::format("host={} port={} dbname=sheaf user=sheaf {}", address_, port_, more);
}

void pgbouncer::restart() {
  stop();
  start();
  if (process_ == 0)
    throw std::runtime_error("PgBouncer does not start again");
}

/// `process_` is 0 afterwards when it did not start.
void pgbouncer::start() {
  const auto settings = folder_ / "pgbouncer.ini", users = folder_ / "users";
  std::ofstream{users} << "\"sheaf\" \"\"\n";
  std::ofstream{settings} << fmt::format("[databases]\nsheaf = {}\n"
                                         "[pgbouncer]\nlisten_addr = {}\nlisten_port = {}\nunix_socket_dir =\n"
                                         "auth_type = trust\nauth_file = {}\npool_mode = {}\ndefault_pool_size = {}\n"
                                         "tcp_keepidle = 5\ntcp_keepintvl = 1\ntcp_keepcnt = 3\n",
                                         environment("SHEAF_TEST_POSTGRES"), address_, port_, users, mode_,
                                         server_connections_);
  for (const auto& path : {folder_ / ".", settings, users})
    std::filesystem::permissions(path, std::filesystem::perms::others_read | std::filesystem::perms::others_exec,
                                 std::filesystem::perm_options::add);
  process_ = run(settings);
  const auto there = url();
  const bool listens =
      eventually([&] { return ::waitpid(process_, nullptr, WNOHANG) != 0 || PQping(there.c_str()) == PQPING_OK; });
  if (!listens || ::kill(process_, 0) != 0)
    stop();
}

void pgbouncer::stop() noexcept {
  if (const auto process = std::exchange(process_, 0); process > 0 && ::kill(process, SIGKILL) == 0)
    ::waitpid(process, nullptr, 0);
}

} // namespace sheaf::test
