/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What 3.2 adds to key management (section 5.18): keys that are shared by encapsulation, and keys that are wrapped as
 * messages are. OP-TEE's application has none of it: there these are CKR_FUNCTION_NOT_SUPPORTED.
 */
#include "message.h"
#include "output.h"
#include "reader.h"
#include "template.h"

CK_RV C_EncapsulateKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hPublicKey,
                       CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulAttributeCount, CK_BYTE_PTR pCiphertext,
                       CK_ULONG_PTR pulCiphertextLen, CK_OBJECT_HANDLE_PTR phKey)
{
    struct command command;
    struct output_behind output;
    CK_RV rv;

    command_begin_in_session(&command, TA_ENCAPSULATE_KEY, hSession);
    command_require(&command, phKey != NULL);
    put_ulong(&command.control, hPublicKey, CKR_KEY_HANDLE_INVALID);
    put_mechanism(&command.control, pMechanism);
    put_template(&command.control, pTemplate, ulAttributeCount);
    output_behind(&command, &output, sizeof(uint32_t), pCiphertext, pulCiphertextLen);
    command.handles = 1;
    rv = output_behind_end(&command, &output, pCiphertext, pulCiphertextLen);
    if (rv == CKR_OK && pCiphertext != NULL)
        *phKey = u32_at(output.bytes.bytes);
    output_behind_release(&output);
    return rv;
}

CK_RV C_DecapsulateKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hPrivateKey,
                       CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulAttributeCount, CK_BYTE_PTR pCiphertext,
                       CK_ULONG ulCiphertextLen, CK_OBJECT_HANDLE_PTR phKey)
{
    struct command command;

    command_begin_in_session(&command, TA_DECAPSULATE_KEY, hSession);
    put_ulong(&command.control, hPrivateKey, CKR_UNWRAPPING_KEY_HANDLE_INVALID);
    put_mechanism(&command.control, pMechanism);
    put_template(&command.control, pTemplate, ulAttributeCount);
    command_input_always(&command, pCiphertext, ulCiphertextLen);
    return output_handle_end(&command, phKey);
}

CK_RV C_WrapKeyAuthenticated(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hWrappingKey,
                             CK_OBJECT_HANDLE hKey, CK_BYTE_PTR pAssociatedData, CK_ULONG ulAssociatedDataLen,
                             CK_BYTE_PTR pWrappedKey, CK_ULONG_PTR pulWrappedKeyLen)
{
    struct command command;
    struct message message;

    command_begin_in_session(&command, TA_WRAP_KEY_AUTHENTICATED, hSession);
    put_ulong(&command.control, hWrappingKey, CKR_WRAPPING_KEY_HANDLE_INVALID);
    put_ulong(&command.control, hKey, CKR_KEY_HANDLE_INVALID);
    message = put_mechanism_on_message(&command.control, pMechanism);
    put_associated_data(&command.control, pAssociatedData, ulAssociatedDataLen);
    return message_end(&command, &message, NONCE_AND_TAG, pWrappedKey, pulWrappedKeyLen);
}

CK_RV C_UnwrapKeyAuthenticated(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hUnwrappingKey,
                               CK_BYTE_PTR pWrappedKey, CK_ULONG ulWrappedKeyLen, CK_ATTRIBUTE_PTR pTemplate,
                               CK_ULONG ulAttributeCount, CK_BYTE_PTR pAssociatedData, CK_ULONG ulAssociatedDataLen,
                               CK_OBJECT_HANDLE_PTR phKey)
{
    struct command command;
    struct message message;

    command_begin_in_session(&command, TA_UNWRAP_KEY_AUTHENTICATED, hSession);
    put_ulong(&command.control, hUnwrappingKey, CKR_UNWRAPPING_KEY_HANDLE_INVALID);
    message = put_mechanism_on_message(&command.control, pMechanism);
    put_template(&command.control, pTemplate, ulAttributeCount);
    put_associated_data(&command.control, pAssociatedData, ulAssociatedDataLen);
    put_tag(&command.control, &message);
    command_input_always(&command, pWrappedKey, ulWrappedKeyLen);
    return output_handle_end(&command, phKey);
}
