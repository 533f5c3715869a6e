// SPDX-License-Identifier: BSD-3-Clause
//
// What a firewall or a router answers for a host that it does not let a packet through to. Any thread.

#pragma once

#include <string>
#include <string_view>

namespace sheaf::test {

bool is_ipv4(std::string_view packet) noexcept;

/// The TCP reset that refuses this IPv4 packet in its receiver's name (RFC 9293, 3.5.2). Empty where it is no TCP, or a
/// reset itself.
std::string reset_of(std::string_view packet);

/// The ICMP message that tells the packet's sender that its receiver cannot be reached (RFC 792), in the receiver's
/// name. Empty where it is ICMP itself.
std::string unreachable_of(std::string_view packet);

} // namespace sheaf::test
