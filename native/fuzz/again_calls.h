/* SPDX-License-Identifier: Apache-2.0 */
/* Part of fuzz_ckteec.c: operations and searches that are begun again and again, where the other side shows changes. */
#ifndef AGAIN_CALLS_H
#define AGAIN_CALLS_H

#define STEPS_MAX 24

static CK_RV sign(CK_ULONG capacity)
{
    CK_BYTE data[] = "data";
    CK_BYTE *output = capacity > 0 ? application_block(capacity) : NULL;
    CK_ULONG size = capacity;
    const CK_RV rv = C_Sign(SESSION, data, sizeof(data), output, &size);

    require(rv != CKR_OK || output == NULL || size <= capacity);
    return rv;
}

static CK_RV find(CK_ULONG capacity)
{
    CK_ULONG *list = application_block(capacity * sizeof(*list));
    CK_ULONG count = 0;
    const CK_RV rv = C_FindObjects(SESSION, list, capacity, &count);

    require(rv != CKR_OK || count <= capacity);
    return rv;
}

static CK_RV step(CK_MECHANISM *mechanism, uint8_t which)
{
    CK_BYTE part[] = "part";

    switch (which % 9) {
    case 0:
    case 1:
        return C_SignInit(SESSION, mechanism, OBJECT);
    case 2:
    case 3:
        return sign(which);
    case 4:
        return sign(0);
    case 5:
        return C_SignUpdate(SESSION, part, sizeof(part));
    case 6:
        return C_FindObjectsInit(SESSION, NULL, 0);
    case 7:
        return find(which);
    default:
        return C_FindObjectsFinal(SESSION);
    }
}

static void call_again_and_again(void)
{
    CK_MECHANISM mechanism = {CKM_AES_CMAC, NULL, 0};

    for (int i = 0; i < STEPS_MAX && input.left > 0; i++) {
        const uint8_t which = take_u8(&input);

        counters[0] += which == UINT8_MAX;
        require_sane(step(&mechanism, which));
    }
}

#endif
