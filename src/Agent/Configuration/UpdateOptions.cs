namespace Dunlin.Agent.Configuration;

/// <summary>Section <c>Updates</c>.</summary>
public sealed class UpdateOptions
{
    public const string Section = "Updates";

    /// <summary>Run a bundle that nobody signed, on a device that has no trusted root. Never with a root.</summary>
    public bool AllowUnsigned { get; set; }
}
