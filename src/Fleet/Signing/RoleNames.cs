using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Signing;

namespace Dunlin.Fleet.Signing;

/// <summary>Roles as they are written on the command line and in a root.</summary>
internal static class RoleNames
{
    public static IReadOnlyList<SigningRole> All { get; } = [SigningRole.Root, SigningRole.Release, SigningRole.Directive, SigningRole.Fresh];

    public static string Name(SigningRole role) => role switch
    {
        SigningRole.Root => "root",
        SigningRole.Release => "release",
        SigningRole.Directive => "directive",
        SigningRole.Fresh => "fresh",
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, "There is no such role."),
    };

    public static SigningRole? Parse(string name) => All.Cast<SigningRole?>().FirstOrDefault(role => Name(role!.Value) == name);

    public static Role Of(SigningRole role, Root root) => role switch
    {
        SigningRole.Root => root.Roles.Root,
        SigningRole.Release => root.Roles.Release,
        SigningRole.Directive => root.Roles.Directive,
        SigningRole.Fresh => root.Roles.Fresh,
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, "There is no such role."),
    };
}
