using System.Globalization;
using System.Text;

namespace Dunlin.Bundles.Trust;

/// <summary>The pre-authentication encoding of DSSE v1 (https://github.com/secure-systems-lab/dsse, protocol.md).</summary>
public static class Dsse
{
    /// <summary><c>"DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload</c>, lengths in decimal bytes: what a signature is over.</summary>
    public static byte[] PreAuthenticationEncoding(string payloadType, ReadOnlySpan<byte> payload)
    {
        var typeLength = Encoding.UTF8.GetByteCount(payloadType);
        var header = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"DSSEv1 {typeLength} {payloadType} {payload.Length} "));
        var encoded = new byte[header.Length + payload.Length];
        header.CopyTo(encoded, 0);
        payload.CopyTo(encoded.AsSpan(header.Length));
        return encoded;
    }
}
