using System.Net;
using System.Net.Sockets;

namespace Dunlin.TestKit.Servers;

/// <summary>Ports of the loopback for servers that have to be told theirs before they start.</summary>
public static class Ports
{
    // Below those that the kernel hands to connections and to listeners at port 0: nobody is given one of these before its server
    // listens, and who connects too early does not meet itself.
    private const int First = 10_000;
    private const int Beyond = 32_000;

    /// <summary>One that was free a moment ago, on both 127.0.0.1 and ::1.</summary>
    public static int Free()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, Beyond);
            if (IsFree(IPAddress.Loopback, port) && (!Socket.OSSupportsIPv6 || IsFree(IPAddress.IPv6Loopback, port))) return port;
        }
    }

    private static bool IsFree(IPAddress address, int port)
    {
        using var listener = new TcpListener(address, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.AddressAlreadyInUse)
        {
            return false;
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.AddressNotAvailable && address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            return true;
        }
    }
}
