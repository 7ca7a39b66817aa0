/* The certificates and the key, DER, as the linker puts them into the image: whoever can read its flash has the key. A product keeps it
   where only its own firmware can read it. */
    .section .rodata.credentials, "a"
    .macro credential name, file
    .global \name, \name\()_end
\name:
    .incbin "\file"
\name\()_end:
    .endm

    credential authority, ca.der
    credential certificate, client.der
    credential private_key, client.key.der
