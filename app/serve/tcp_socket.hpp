// SPDX-License-Identifier: BSD-3-Clause

#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace sheaf::app::serve {

/// A socket that knows its executor's type, which saves a virtual call for each step.
using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

} // namespace sheaf::app::serve
