// What peers say to each other about clients and rooms (attach.h has the procedure). Plain values;
// see message.h.
#pragma once

#include "overlay/message_family.h"

namespace tombolo {

using AttachMessages = MessageFamily<>;

}  // namespace tombolo
