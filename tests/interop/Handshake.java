// SPDX-License-Identifier: Apache-2.0
// TLS 1.2 handshakes in one process, with the keys of both ends in a PKCS#11 token: SunPKCS11 stands first, and
// SunJCE, which could do its work, is not there.
// Arguments: SunPKCS11's configuration, the PIN; then pairs of the alias of a server's key and a cipher suite.

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.Provider;
import java.security.Security;
import java.security.cert.X509Certificate;
import javax.crypto.KeyGenerator;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;

public class Handshake {
    private static final int ROOM = 1 << 16;
    private static final int MOST_TURNS = 100;

    public static void main(String[] arguments) throws Exception {
        Security.setProperty("jdk.tls.disabledAlgorithms", ""); // some releases have no TLS_RSA_ suites otherwise
        Provider token = Security.getProvider("SunPKCS11").configure(arguments[0]);
        Security.insertProviderAt(token, 1);
        Security.removeProvider("SunJCE");
        for (String secret : new String[] {"RsaPremasterSecret", "MasterSecret", "KeyMaterial", "Prf"}) {
            String algorithm = "SunTls12" + secret;
            System.out.println(algorithm + ": " + KeyGenerator.getInstance(algorithm).getProvider().getName());
        }
        KeyStore keys = KeyStore.getInstance("PKCS11", token);
        keys.load(null, arguments[1].toCharArray());
        for (int i = 2; i < arguments.length; i += 2) {
            connect(context(keys, arguments[1].toCharArray(), arguments[i]), arguments[i + 1]);
        }
    }

    private static void connect(SSLContext context, String suite) throws Exception {
        SSLEngine client = engine(context, true, suite);
        SSLEngine server = engine(context, false, suite);
        ByteBuffer toServer = ByteBuffer.allocate(ROOM);
        ByteBuffer toClient = ByteBuffer.allocate(ROOM);
        ByteBuffer said = ByteBuffer.wrap("said by the client".getBytes(StandardCharsets.UTF_8));
        ByteBuffer heard = ByteBuffer.allocate(ROOM);
        for (int turn = 0; turn < MOST_TURNS && heard.position() < said.limit(); turn++) {
            step(client, said, toServer, toClient, ByteBuffer.allocate(ROOM));
            step(server, ByteBuffer.allocate(0), toClient, toServer, heard);
        }
        heard.flip();
        System.out.println(client.getSession().getCipherSuite() + ": " + StandardCharsets.UTF_8.decode(heard));
    }

    private static SSLContext context(KeyStore keys, char[] pin, String alias) throws Exception {
        KeyManagerFactory own = KeyManagerFactory.getInstance("SunX509");
        own.init(keys, pin);
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        trusted.setCertificateEntry("server", (X509Certificate) keys.getCertificate(alias));
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLSv1.2");
        context.init(own.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static SSLEngine engine(SSLContext context, boolean isClient, String suite) {
        SSLEngine engine = context.createSSLEngine();
        SSLParameters parameters = new SSLParameters(new String[] {suite}, new String[] {"TLSv1.2"});
        engine.setUseClientMode(isClient);
        engine.setSSLParameters(parameters);
        return engine;
    }

    /** Let an end read what has come, do what it has to, and write what it can. */
    private static void step(SSLEngine engine, ByteBuffer says, ByteBuffer out, ByteBuffer in, ByteBuffer heard)
            throws Exception {
        in.flip();
        while (in.hasRemaining()) {
            SSLEngineResult read = engine.unwrap(in, heard);
            work(engine);
            if (read.bytesConsumed() == 0) {
                break;
            }
        }
        in.compact();
        SSLEngineResult written;
        do {
            written = engine.wrap(says, out);
            work(engine);
        } while (written.bytesProduced() > 0);
    }

    private static void work(SSLEngine engine) {
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
    }
}
