// SPDX-License-Identifier: Apache-2.0
// A TLS server of Java's whose key is the token's: it prints its port, serves one client with what it sends, and ends.
//
// Arguments: the provider's file, the PIN, the protocol, "first" or "last": which place the token has among the providers.

import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.Provider;
import java.security.Security;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

public class TlsServer {
    public static void main(String[] arguments) throws Exception {
        Provider token = Security.getProvider("SunPKCS11").configure(arguments[0]);
        if (arguments[3].equals("first")) {
            Security.insertProviderAt(token, 1);
        } else {
            Security.addProvider(token);
        }
        char[] pin = arguments[1].toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS11", token);
        store.load(null, pin);
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store, pin);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        try (SSLServerSocket server = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0)) {
            server.setEnabledProtocols(new String[] {arguments[2]});
            System.out.println(server.getLocalPort());
            try (SSLSocket client = (SSLSocket) server.accept()) {
                byte[] line = client.getInputStream().readNBytes(5);
                client.getOutputStream().write(line);
                System.out.println(client.getSession().getCipherSuite() + " " + new String(line, StandardCharsets.UTF_8));
            }
        }
    }
}
