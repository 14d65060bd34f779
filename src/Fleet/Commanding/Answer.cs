using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Dunlin.Fleet.Commanding;

/// <summary>A device has done what it was asked.</summary>
/// <param name="Device">Which.</param>
/// <param name="Payload">Untrusted, as all that a device sends.</param>
/// <param name="Elapsed">From just before the command was sent until the reply was here.</param>
internal sealed record Answer(string Device, JsonElement? Payload, TimeSpan Elapsed)
{
    /// <exception cref="FleetException">It is something else.</exception>
    public T Read<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            if (Payload?.Deserialize(type) is { } value) return value;
        }
        catch (JsonException)
        {
            // Said below.
        }

        throw Unusable($"no {type.Type.Name.ToLowerInvariant()}");
    }

    public FleetException Unusable(string what) =>
        new(ExitCodes.InputMissing, $"'{Device}' answered with what cannot be used: {what}; nothing was written. See that its agent is of this version.");
}
