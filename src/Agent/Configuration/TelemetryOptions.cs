using System.ComponentModel.DataAnnotations;

namespace Dunlin.Agent.Configuration;

/// <summary>Section <c>Telemetry</c>.</summary>
public sealed class TelemetryOptions
{
    public const string Section = "Telemetry";

    /// <summary>Length of a window.</summary>
    [Range(1, 3600)]
    public double WindowSeconds { get; set; } = 10;
}
