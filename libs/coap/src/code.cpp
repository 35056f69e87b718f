#include "coap/code.hpp"

namespace lanyard::coap {

std::string to_string(Code code) {
    const unsigned detail = code_detail(code);
    return {static_cast<char>('0' + code_class(code)), '.', static_cast<char>('0' + detail / 10),
            static_cast<char>('0' + detail % 10)};
}

}  // namespace lanyard::coap
