using System.ComponentModel.DataAnnotations;

namespace Dunlin.Agent.Configuration;

/// <summary>Section <c>Results</c>: which classifications are published.</summary>
public sealed class ResultOptions
{
    public const string Section = "Results";

    /// <summary>Publish every n-th result; 0 publishes when the best class changes.</summary>
    [Range(0, 1_000_000)]
    public int Every { get; set; }

    /// <summary>Classes per result, best first.</summary>
    [Range(1, 100)]
    public int TopCount { get; set; } = 5;
}
