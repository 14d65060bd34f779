using System.Text.Json.Serialization;

namespace Dunlin.Contracts.Race;

/// <summary>What the race makes small.</summary>
public enum Objective
{
    /// <summary>95th percentile of the latency.</summary>
    [JsonStringEnumMemberName("latency")] Latency = 1,

    /// <summary>Joules per inference.</summary>
    [JsonStringEnumMemberName("energy")] Energy = 2,

    /// <summary>Energy times latency.</summary>
    [JsonStringEnumMemberName("product")] Product = 3,
}
