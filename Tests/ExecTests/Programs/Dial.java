import java.net.ServerSocket;
import java.net.Socket;

/** Dials a server of its own, which is IPv4 through a socket of both families. */
public class Dial {
    public static void main(String[] arguments) throws Exception {
        try (ServerSocket server = new ServerSocket(0, 100)) {
            for (int i = 0; i < 50; i++) {
                try (Socket dialled = new Socket("127.0.0.1", server.getLocalPort()); Socket accepted = server.accept()) {
                    System.out.println(accepted.getInetAddress().getHostAddress());
                }
            }
        }
    }
}
