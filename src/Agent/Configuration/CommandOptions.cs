namespace Dunlin.Agent.Configuration;

/// <summary>Section <c>Commands</c>: what the fleet's owner may ask of this device from afar, beside <c>ping</c> and <c>race</c>. Each must be signed by a key for directives.</summary>
public sealed class CommandOptions
{
    public const string Section = "Commands";

    /// <summary>A frame of the camera leaves the device.</summary>
    public bool Snapshot { get; set; }

    /// <summary>So does one with where the model looks in it.</summary>
    public bool Explain { get; set; }

    /// <summary>Another level of logging for a while.</summary>
    public bool LogLevel { get; set; }
}
