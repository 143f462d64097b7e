/* SPDX-License-Identifier: Apache-2.0 */
/* Part of fuzz_ckteec.c: attributes that are told before they are asked for, where the other side shows changes. */
#ifndef AHEAD_CALLS_H
#define AHEAD_CALLS_H

static void read_attributes(uint8_t object)
{
    const size_t count = 1 + take_u8(&input) % 2;
    CK_ATTRIBUTE *attributes = application_block(count * sizeof(*attributes));
    CK_ATTRIBUTE made[2];

    for (size_t i = 0; i < count; i++) {
        make_attribute(&attributes[i], DEPTH_MAX);
        made[i] = attributes[i];
    }
    require_sane(C_GetAttributeValue(SESSION, object, attributes, count));
    for (size_t i = 0; i < count; i++)
        require(made[i].pValue == NULL || attributes[i].ulValueLen <= made[i].ulValueLen ||
                attributes[i].ulValueLen == CK_UNAVAILABLE_INFORMATION);
}

static void call_one_object_after_the_other(void)
{
    for (int i = 0; i < STEPS_MAX && input.left > 0; i++) {
        const uint8_t which = take_u8(&input);

        counters[0] += which == UINT8_MAX;
        if (which % 8 == 0) {
            require_sane(C_FindObjectsInit(SESSION, NULL, 0));
            require_sane(find(which));
            require_sane(C_FindObjectsFinal(SESSION));
        } else {
            read_attributes(which % OBJECTS);
        }
    }
}

#endif
