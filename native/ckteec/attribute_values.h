/* SPDX-License-Identifier: Apache-2.0 */
/* Values of attributes: from the wire to the application's buffers, as C_GetAttributeValue has to (section 5.7). */
#ifndef ATTRIBUTE_VALUES_H
#define ATTRIBUTE_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "library.h"

/*
 * Deliver a value of `size` bytes on the wire, or the fact that there is none (size WIRE_UNAVAILABLE). With a NULL
 * buffer only the length is set. `data` is read only where the value fits, and always for a template.
 * CKR_BUFFER_TOO_SMALL: it does not fit; the length is then CK_UNAVAILABLE_INFORMATION.
 * CKR_DEVICE_ERROR: this is no value of such an attribute.
 */
CK_RV deliver_value(CK_ATTRIBUTE *attribute, const uint8_t *data, uint32_t size);

/* Whether the secure world's answer comes with attributes. */
bool comes_with_values(CK_RV rv);

#endif
