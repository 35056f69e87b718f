#pragma once

#include <algorithm>

#include <boost/asio/ip/tcp.hpp>

#include "base/address.hpp"
#include "base/error.hpp"
#include "runtime/socket_address.hpp"

namespace lanyard::runtime {

inline boost::asio::ip::tcp::endpoint to_endpoint(const Address& address) {
    if (address.is_v4()) {
        boost::asio::ip::address_v4::bytes_type v4;
        std::copy(address.ip.begin() + 12, address.ip.end(), v4.begin());
        return {boost::asio::ip::address_v4(v4), address.port};
    }
    return {boost::asio::ip::address_v6(address.ip), address.port};
}

inline Address from_endpoint(const boost::asio::ip::tcp::endpoint& endpoint) {
    return from_sockaddr(reinterpret_cast<const sockaddr&>(*endpoint.data()));
}

// Opens, binds and listens. `what` begins the message of the error: unavailable.
inline Result<void> listen_at(boost::asio::ip::tcp::acceptor& acceptor, const Address& address, const char* what) {
    using boost::asio::ip::tcp;
    const tcp::endpoint endpoint = to_endpoint(address);
    boost::system::error_code failed;
    acceptor.open(endpoint.protocol(), failed);
    if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
    if (!failed) acceptor.bind(endpoint, failed);
    if (!failed) acceptor.listen(boost::asio::socket_base::max_listen_connections, failed);
    if (!failed) return {};
    return make_error(Errc::unavailable, std::string(what) + " " + to_string(address) + ": " + failed.message());
}

}  // namespace lanyard::runtime
