/* SPDX-License-Identifier: Apache-2.0 */
/* Key management (section 5.14). */
#include "command.h"
#include "mechanism.h"
#include "output.h"
#include "reader.h"
#include "template.h"

CK_ENTRY(C_GenerateKey);
CK_RV C_GenerateKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_ATTRIBUTE_PTR pTemplate,
                    CK_ULONG ulCount, CK_OBJECT_HANDLE_PTR phKey)
{
    struct command command;

    command_begin_in_session(&command, TA_GENERATE_KEY, hSession);
    put_mechanism(&command.control, pMechanism);
    put_template(&command.control, pTemplate, ulCount);
    return output_handle_end(&command, phKey);
}

CK_ENTRY(C_GenerateKeyPair);
CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_ATTRIBUTE_PTR pPublicKeyTemplate,
                        CK_ULONG ulPublicKeyAttributeCount, CK_ATTRIBUTE_PTR pPrivateKeyTemplate,
                        CK_ULONG ulPrivateKeyAttributeCount, CK_OBJECT_HANDLE_PTR phPublicKey,
                        CK_OBJECT_HANDLE_PTR phPrivateKey)
{
    struct command command;
    uint8_t handles[2 * sizeof(uint32_t)] = {0};
    CK_RV rv;

    command_begin_in_session(&command, TA_GENERATE_KEY_PAIR, hSession);
    command_require(&command, phPublicKey != NULL && phPrivateKey != NULL);
    put_mechanism(&command.control, pMechanism);
    put_template(&command.control, pPublicKeyTemplate, ulPublicKeyAttributeCount);
    put_template(&command.control, pPrivateKeyTemplate, ulPrivateKeyAttributeCount);
    command_output(&command, handles, sizeof(handles));
    command.handles = 2;
    rv = command_end(&command);
    if (rv != CKR_OK)
        return rv;
    *phPublicKey = u32_at(handles);
    *phPrivateKey = u32_at(handles + sizeof(uint32_t));
    return CKR_OK;
}

CK_ENTRY(C_WrapKey);
CK_RV C_WrapKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hWrappingKey,
                CK_OBJECT_HANDLE hKey, CK_BYTE_PTR pWrappedKey, CK_ULONG_PTR pulWrappedKeyLen)
{
    struct command command;

    command_begin_in_session(&command, TA_WRAP_KEY, hSession);
    put_ulong(&command.control, hWrappingKey, CKR_WRAPPING_KEY_HANDLE_INVALID);
    put_ulong(&command.control, hKey, CKR_KEY_HANDLE_INVALID);
    put_mechanism(&command.control, pMechanism);
    output_bytes(&command, pWrappedKey, pulWrappedKeyLen);
    return output_bytes_end(&command, pWrappedKey, pulWrappedKeyLen);
}

CK_ENTRY(C_UnwrapKey);
CK_RV C_UnwrapKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hUnwrappingKey,
                  CK_BYTE_PTR pWrappedKey, CK_ULONG ulWrappedKeyLen, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount,
                  CK_OBJECT_HANDLE_PTR phKey)
{
    struct command command;

    command_begin_in_session(&command, TA_UNWRAP_KEY, hSession);
    put_ulong(&command.control, hUnwrappingKey, CKR_UNWRAPPING_KEY_HANDLE_INVALID);
    put_mechanism(&command.control, pMechanism);
    put_template(&command.control, pTemplate, ulCount);
    command_input_always(&command, pWrappedKey, ulWrappedKeyLen);
    return output_handle_end(&command, phKey);
}
