using System.Text;
using MQTTnet;
using MQTTnet.Protocol;

namespace Dunlin.Telemetry.Link;

/// <summary>The bytes of a PUBLISH. Source: MQTT 5.0, sections 1.5.5 and 3.3.</summary>
internal static class PacketSize
{
    /// <param name="message">With no other properties than devices and their fleet send: expiry, correlation data and user properties.</param>
    public static long Of(MqttApplicationMessage message)
    {
        var properties = (message.MessageExpiryInterval > 0 ? 5 : 0) + (message.CorrelationData is { } correlation ? 3 + correlation.Length : 0)
            + (message.UserProperties?.Sum(property => 5 + Encoding.UTF8.GetByteCount(property.Name) + property.ValueBuffer.Length) ?? 0);
        var identifier = message.QualityOfServiceLevel == MqttQualityOfServiceLevel.AtMostOnce ? 0 : 2;
        var rest = 2 + Encoding.UTF8.GetByteCount(message.Topic) + identifier + LengthOf(properties) + properties + message.Payload.Length;
        return 1 + LengthOf(rest) + rest;
    }

    /// <summary>Of a number that says how many bytes follow: seven bits to each.</summary>
    private static int LengthOf(long count) => count switch
    {
        < 1 << 7 => 1,
        < 1 << 14 => 2,
        < 1 << 21 => 3,
        _ => 4,
    };
}
