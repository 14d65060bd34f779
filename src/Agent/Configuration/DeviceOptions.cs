using System.ComponentModel.DataAnnotations;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Updates;

namespace Dunlin.Agent.Configuration;

/// <summary>Section <c>Device</c>: who this board is and what it runs before the first release.</summary>
public sealed class DeviceOptions
{
    public const string Section = "Device";
    private const string DeviceNameRule = "must be 1 to 63 lower-case letters, digits and hyphens, the first no hyphen";

    /// <summary>The id in topics; the broker's user name or certificate CN. Default: the host name.</summary>
    [RegularExpression(DeviceName.Rule, ErrorMessage = DeviceNameRule)]
    public string Id { get; set; } = DefaultId();

    /// <summary>The fleet in topics.</summary>
    [RegularExpression(DeviceName.Rule, ErrorMessage = DeviceNameRule)]
    public string Fleet { get; set; } = "default";

    /// <summary>The factory bundle, an OCI layout directory; a committed release wins over it. Empty: wait for a release.</summary>
    public string Bundle { get; set; } = "";

    /// <summary>Where trust, releases, verdicts, saved models and the outbox lie.</summary>
    [Required(ErrorMessage = "must name a directory")]
    public string StateDirectory { get; set; } = "/var/lib/dunlin";

    /// <summary>The paths below <see cref="StateDirectory"/>.</summary>
    public StateLayout Layout() => new(Path.GetFullPath(StateDirectory));

    private static string DefaultId()
    {
        var name = Environment.MachineName.ToLowerInvariant().Replace('.', '-').Replace('_', '-');
        return DeviceName.IsValid(name) ? name : "device";
    }
}
