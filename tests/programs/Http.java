// SPDX-License-Identifier: BSD-2-Clause
// Http.java serve|talk ADDRESS - HttpServer and HttpClient, java.net sockets, datagrams
import com.sun.net.httpserver.HttpServer;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

public class Http {
	static void serve(InetAddress at) throws Exception {
		DatagramSocket udp = new DatagramSocket(7001, at);
		ServerSocket tcp = new ServerSocket(7001, 50, at);
		Executors.newSingleThreadExecutor().submit(() -> {
			DatagramPacket p = new DatagramPacket(new byte[2000], 2000);
			for (;;) {
				udp.receive(p);
				udp.send(p);
			}
		});
		Executors.newSingleThreadExecutor().submit(() -> {
			for (;;)
				try (Socket s = tcp.accept()) {
					s.getInputStream().transferTo(s.getOutputStream());
				}
		});
		HttpServer http = HttpServer.create(new InetSocketAddress(at, 7000), 50);
		http.setExecutor(Executors.newFixedThreadPool(4));
		http.createContext("/", x -> {
			byte[] body = x.getRequestBody().readAllBytes();
			x.sendResponseHeaders(200, body.length);
			x.getResponseBody().write(body);
			x.close();
		});
		http.start();
	}

	static boolean pages(InetAddress to) {
		HttpClient client = HttpClient.newHttpClient();
		byte[] body = new byte[300000];
		Arrays.fill(body, (byte)'x');
		HttpRequest q = HttpRequest.newBuilder(URI.create("http://" + to.getHostAddress() + ":7000/"))
			.POST(HttpRequest.BodyPublishers.ofByteArray(body)).build();
		return IntStream.range(0, 10).mapToObj(i -> client.sendAsync(q, HttpResponse.BodyHandlers.ofByteArray()))
			.toList().stream().map(CompletableFuture::join).allMatch(r -> Arrays.equals(r.body(), body));
	}

	static boolean echo(InetAddress to) throws Exception {
		try (Socket s = new Socket(to, 7001)) {
			s.getOutputStream().write("by java".getBytes());
			s.shutdownOutput();
			return new String(s.getInputStream().readAllBytes()).equals("by java");
		}
	}

	static boolean datagram(InetAddress to) throws Exception {
		try (DatagramSocket s = new DatagramSocket()) {
			s.setSoTimeout(5000);
			s.send(new DatagramPacket("datagram".getBytes(), 8, to, 7001));
			DatagramPacket p = new DatagramPacket(new byte[100], 100);
			s.receive(p);
			return p.getLength() == 8;
		}
	}

	public static void main(String[] args) throws Exception {
		InetAddress a = InetAddress.getByName(args[1]);
		if (args[0].equals("serve")) {
			serve(a);
			return;
		}
		boolean[] well = { pages(a), echo(a), datagram(a) };
		System.out.println(well[0] && well[1] && well[2] ? "java ok" : Arrays.toString(well));
		System.exit(0);
	}
}
